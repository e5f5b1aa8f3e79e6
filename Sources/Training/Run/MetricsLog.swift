import Checkpoints
import Foundation
import SaccaderModel

/// `metrics.jsonl`: one object a line, appended as training goes on.
final class MetricsLog {
    private let path: String
    private let handle: FileHandle

    /// Opens the log; lines from beyond the step at which the run goes on are dropped.
    init(_ path: String, resumingAt position: Position?) throws(CheckpointError) {
        self.path = path
        var kept = ""
        if let position, let data = FileManager.default.contents(atPath: path) {
            for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
                guard let place = Position(metricsLine: line) else { continue }
                if place <= position { kept += line + "\n" }
            }
        }
        try AtomicFile.write(path, text: kept)
        guard let handle = FileHandle(forWritingAtPath: path) else {
            throw .unwritable(path: path, reason: "it cannot be opened")
        }
        handle.seekToEndOfFile()
        self.handle = handle
    }

    /// Appends a line.
    func write(_ fields: [(String, MetricsValue)]) throws(CheckpointError) {
        let members = fields.map { "\"\($0.0)\": \($0.1.json)" }.joined(separator: ", ")
        do {
            try handle.write(contentsOf: Data("{\(members)}\n".utf8))
        } catch {
            throw .unwritable(path: path, reason: error.localizedDescription)
        }
    }
}

/// A value of the log.
enum MetricsValue {
    case text(String)
    case integer(Int)
    case number(Double)

    var json: String {
        switch self {
        case .text(let text): "\"\(text)\""
        case .integer(let value): "\(value)"
        case .number(let value): value.isFinite ? "\(value)" : "null"
        }
    }
}

/// A place in a run.
struct Position: Comparable, Sendable {
    let stage: StageName
    /// Steps done in the stage.
    let step: Int

    static func < (left: Position, right: Position) -> Bool {
        (left.stage.index, left.step) < (right.stage.index, right.step)
    }
}

extension Position {
    private struct Line: Decodable {
        let stage: StageName
        let step: Int
    }

    /// The place that a line of the log speaks of; nil where the line is not whole.
    init?(metricsLine line: Substring) {
        do {
            let line = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
            self.init(stage: line.stage, step: line.step)
        } catch {
            return nil
        }
    }
}
