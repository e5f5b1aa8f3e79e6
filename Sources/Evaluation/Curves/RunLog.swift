import Foundation
import Terminal

/// The log of a training run (`metrics.jsonl`), read back.
struct RunLog {
    /// What a line says of a place in the run.
    struct Point: Equatable {
        /// Steps done in the stage.
        let step: Int
        /// Epochs done in the stage; where the log has none, steps.
        let epoch: Double
        /// Images seen in the stage.
        let samples: Int
        /// The numbers by the log's own keys.
        var values: [String: Double]
    }

    /// One stage, in increasing order of steps.
    struct Stage {
        let name: String
        fileprivate(set) var points: [Point]
        /// Seconds between its first and last line.
        let seconds: Double

        /// The points that have a value, (epoch, value).
        func curve(_ key: String) -> [Curve.Point] {
            points.compactMap { point in
                point.values[key].map { Curve.Point(x: point.epoch, y: $0) }
            }
        }
    }

    /// What plots call the run.
    let name: String
    /// The log's path.
    let path: String
    /// The stages, in the order of their first lines.
    let stages: [Stage]
    /// What is not as it should be, a line each.
    let warnings: [String]

    private struct Line: Decodable {
        let stage: String
        let step: Int
        let time: Double?
        let epoch: Double?
        let samples: Int?
        let values: [String: Double]

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            stage = try container.decode(String.self, forKey: Key(stringValue: "stage"))
            step = try container.decode(Int.self, forKey: Key(stringValue: "step"))
            func number(_ key: String) throws -> Double? {
                // What was not finite stands as null.
                try container.decodeIfPresent(Double.self, forKey: Key(stringValue: key))
            }
            (time, epoch) = (try number("time"), try number("epoch"))
            samples = try container.decodeIfPresent(Int.self, forKey: Key(stringValue: "samples"))
            var values: [String: Double] = [:]
            for quantity in Quantity.allCases {
                for key in quantity.keys { values[key] = try number(key) }
            }
            self.values = values
        }
    }

    /// Reads the log of a run's folder, or a log itself.
    init(_ path: String, name: String) throws(RequestError) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw RequestError(
                "\(path): no such run; give the --output folder of a training run, or its "
                    + "metrics.jsonl", exitCode: .missingInput)
        }
        let file = isFolder.boolValue ? "\(path)/metrics.jsonl" : path
        guard FileManager.default.fileExists(atPath: file) else {
            throw RequestError(
                "\(file): no such file; give the --output folder of a training run",
                exitCode: .missingInput)
        }
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: file))
        } catch {
            throw RequestError(
                "\(file): cannot be read: \(error.localizedDescription)", exitCode: .inputOutput)
        }
        try self.init(text: String(decoding: data, as: UTF8.self), path: file, name: name)
    }

    /// Reads the text of a log. A line that speaks of a place once more, as after a run was resumed
    /// from before it, takes the place of the earlier one.
    init(text: String, path: String, name: String) throws(RequestError) {
        (self.name, self.path) = (name, path)
        var order: [String] = []
        var points: [String: [Int: Point]] = [:]
        var times: [String: (first: Double, last: Double)] = [:]
        var damaged: [Int] = []
        var repeated = 0
        let decoder = JSONDecoder()
        for (index, text) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated() where !text.allSatisfy(\.isWhitespace)
        {
            let line: Line
            do {
                line = try decoder.decode(Line.self, from: Data(text.utf8))
            } catch {
                damaged.append(index + 1)
                continue
            }
            if points[line.stage] == nil { order.append(line.stage) }
            if let time = line.time {
                times[line.stage] = (times[line.stage]?.first ?? time, time)
            }
            let new = Point(
                step: line.step, epoch: line.epoch ?? Double(line.step),
                samples: line.samples ?? 0, values: line.values)
            var known = points[line.stage, default: [:]][line.step]
            // The scores of a step stand on a line of their own.
            if known?.values.keys.contains(where: { new.values[$0] != nil }) == true {
                repeated += 1
            }
            known?.values.merge(new.values) { $1 }
            points[line.stage, default: [:]][line.step] = known ?? new
        }
        guard !order.isEmpty else {
            throw RequestError(
                "\(path): holds no line of a training run's metrics"
                    + (damaged.first.map { " (line \($0) is none)" } ?? "")
                    + "; give the --output folder of a training run", exitCode: .badData)
        }
        stages = order.map { stage in
            Stage(
                name: stage, points: (points[stage] ?? [:]).values.sorted { $0.step < $1.step },
                seconds: times[stage].map { $0.last - $0.first } ?? 0)
        }
        var warnings: [String] = []
        if let first = damaged.first {
            warnings.append(
                "\(path): \(damaged.count == 1 ? "a line" : "\(damaged.count) lines") cannot be read "
                    + "(\(damaged.count == 1 ? "" : "the first: ")line \(first)); the others are drawn"
            )
        }
        if repeated > 0 {
            warnings.append(
                "\(path): \(repeated) steps are logged more than once, as after going on from an "
                    + "earlier checkpoint; the last line of each counts")
        }
        self.warnings = warnings
    }
}
