import EventMessages
import Foundation
import Models

/// TensorBoard's messages of a run, in the order of its lines.
struct EventEncoder {
    private var axis = StepAxis()
    private var stage: Stage?
    /// The step of the last line.
    private var last: Int?

    /// A picture of a step.
    struct Picture {
        /// TensorBoard's name, such as `dev/glimpses`.
        let tag: String
        let png: Data
        /// The width, in pixels.
        let width: Int
        /// The height, in pixels.
        let height: Int
    }

    /// The place of a position among all steps.
    mutating func step(_ position: Position) -> Int { axis.step(position) }

    /// What a line of the log says; nil where it speaks of no place.
    mutating func event(
        _ fields: [(String, MetricsValue)]
    ) -> Tensorboard_Event? {
        guard let position = Position(fields) else { return nil }
        let step = axis.step(position)
        // A score's line says once more where the run is.
        let isKnown = step == last
        last = step
        var values: [Tensorboard_Summary.Value] = []
        if position.stage != stage {
            stage = position.stage
            values.append(Self.text("progress/stage", position.stage.name))
        }
        var time = Date().timeIntervalSince1970
        for (key, value) in fields {
            switch value.number {
            case let number? where key == "time": time = number
            case let number?:
                guard let quantity = WatchedQuantity(key) else { continue }
                if isKnown && quantity.group == .progress { continue }
                values.append(
                    .with { ($0.tag, $0.simpleValue) = (quantity.tag, Float(number)) })
            case nil:
                guard case .text(let text) = value, key != "stage" else { continue }
                values.append(Self.text("dev/\(key)", text))
            }
        }
        return Self.event(values, step: step, time: time)
    }

    /// Pictures of a step.
    mutating func event(_ pictures: [Picture], at position: Position) -> Tensorboard_Event {
        let values = pictures.map { picture in
            Tensorboard_Summary.Value.with {
                $0.tag = picture.tag
                $0.image = .with {
                    ($0.width, $0.height) = (Int32(picture.width), Int32(picture.height))
                    $0.colorspace = 3
                    $0.encodedImageString = picture.png
                }
            }
        }
        return Self.event(values, step: axis.step(position))
    }

    /// The first records of a file: its version, a word to readers that all they know of this step
    /// and later ones is void, and the settings.
    static func beginning(_ settings: String, step: Int) -> [Tensorboard_Event] {
        // Indented lines are code to the reader.
        let code = settings.split(separator: "\n", omittingEmptySubsequences: false)
            .map { "    \($0)" }.joined(separator: "\n")
        let now = Date().timeIntervalSince1970
        return [
            .with { ($0.wallTime, $0.fileVersion) = (now, "brain.Event:2") },
            .with { event in
                (event.wallTime, event.step) = (now, Int64(step))
                event.sessionLog = .with { $0.status = .start }
            },
            event([text("config", code)], step: max(0, step - 1)),
        ]
    }

    private static func event(
        _ values: [Tensorboard_Summary.Value], step: Int, time: Double? = nil
    ) -> Tensorboard_Event {
        .with { event in
            event.wallTime = time ?? Date().timeIntervalSince1970
            event.step = Int64(step)
            event.summary = .with { $0.value = values }
        }
    }

    private static func text(_ tag: String, _ text: String) -> Tensorboard_Summary.Value {
        .with { value in
            value.tag = tag
            value.metadata = .with { $0.pluginData = .with { $0.pluginName = "text" } }
            value.tensor = .with { tensor in
                tensor.dtype = 7
                tensor.tensorShape = .with { $0.dim = [.with { $0.size = 1 }] }
                tensor.stringVal = [Data(text.utf8)]
            }
        }
    }
}
