import Foundation
import Terminal

extension Prediction {
    /// A line for people: file, classes with their probabilities, glimpses and the part of the
    /// network's square that they saw, with tabs between; nil where the picture cannot be read.
    public var line: String? {
        guard case .success(let answer) = answer else { return nil }
        let words = answer.candidates.map {
            String(format: "%@ %.1f %%", $0.name.title, 100 * $0.part)
        }
        return [
            file.name, words.joined(separator: ", "), answer.glimpsesInWords,
            String(format: "%.1f %% seen", 100 * answer.coverage),
        ].joined(separator: "\t")
    }

    private struct Box: Encodable {
        let x: Double, y: Double, width: Double, height: Double
    }

    private struct Class: Encodable {
        let label: Int
        let `class`: String
        let words: String
        let probability: Double
    }

    /// The object of a line of `predictions.jsonl`.
    private struct Object: Encodable {
        let file: String
        var error: String?
        var width: Int?
        var height: Int?
        var predictions: [Class]?
        var glimpses: Int?
        var coverage: Double?
        var crop: Box?
        var windows: [Box]?
        var picture: String?
        var policy: String?
    }

    /// One JSON object: what the line says and, in pixels of the picture, the part that the network
    /// was shown and each glimpse's window.
    ///
    /// - Parameter pictures: The names of the files that show it.
    public func json(_ pictures: PredictionPictures.Names? = nil) throws -> String {
        var object = Object(file: file.name)
        switch answer {
        case .failure(let error): object.error = "\(error)"
        case .success(let answer):
            (object.width, object.height) = (answer.width, answer.height)
            object.predictions = answer.candidates.map {
                Class(
                    label: $0.label, class: $0.name.name, words: $0.name.title,
                    probability: $0.part)
            }
            (object.glimpses, object.coverage) = (answer.glimpses, answer.coverage)
            let crop = answer.crop.box
            object.crop = Box(x: crop.x, y: crop.y, width: crop.width, height: crop.height)
            object.windows = answer.windows.map(answer.box).map {
                Box(x: $0.x, y: $0.y, width: $0.width, height: $0.height)
            }
            (object.picture, object.policy) = (pictures?.glimpses, pictures?.policy)
        }
        return try JSONText.of(object)
    }

    /// The names of the columns of `predictions.csv`.
    static func columns(top: Int) -> [String] {
        ["file", "glimpses", "coverage"]
            + (1...top).flatMap { ["label\($0)", "class\($0)", "words\($0)", "probability\($0)"] }
            + ["picture", "error"]
    }

    /// A row of `predictions.csv`.
    func row(top: Int, _ pictures: PredictionPictures.Names?) -> [String] {
        switch answer {
        case .failure(let error):
            return [file.name] + [String](repeating: "", count: 3 + 4 * top) + ["\(error)"]
        case .success(let answer):
            return [file.name, "\(answer.glimpses)", "\(answer.coverage)"]
                + answer.candidates.flatMap {
                    ["\($0.label)", $0.name.name, $0.name.title, "\($0.part)"]
                } + [pictures?.glimpses ?? "", ""]
        }
    }
}
