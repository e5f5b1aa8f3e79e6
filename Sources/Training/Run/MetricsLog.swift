import Families
import Files
import Foundation
import Models
import Terminal

/// `metrics.jsonl`: one object a line, appended as training goes on.
final class MetricsLog: Sendable {
    private let file: AppendedFile
    /// The place of the last line that was there when the log was opened.
    let lastPosition: Position?

    /// Opens the log; lines from beyond the step at which the run goes on are dropped.
    init(_ path: String, resumingAt position: Position?) throws(FileError) {
        var kept = ""
        var last: Position?
        if let position, let data = FileManager.default.contents(atPath: path) {
            for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
                guard let place = Position(metricsLine: line) else { continue }
                if place > position { continue }
                kept += line + "\n"
                last = max(last ?? place, place)
            }
        }
        lastPosition = last
        try AtomicFile.write(path, text: kept)
        file = try AppendedFile(path, length: kept.utf8.count)
    }

    /// Appends a line.
    func write(_ fields: [(String, MetricsValue)]) {
        file.write("\(JSONLine(fields).json)\n".utf8)
    }

    /// What went wrong, once until it works again.
    func takeFailure() -> FileError? { file.takeFailure() }

    /// Has all lines so far flushed to the disk; what goes wrong is told by ``takeFailure()``.
    func synchronize() { file.synchronize() }

    /// Has all lines flushed to the disk; an error where some are lost.
    func finish() throws(FileError) { try file.finish() }
}

/// A value of the log.
enum MetricsValue: Equatable, JSONValue {
    case text(String)
    case integer(Int)
    case number(Double)

    var json: String {
        switch self {
        case .text(let text): JSONText.string(text)
        case .integer(let value): "\(value)"
        case .number(let value): JSONText.number(value)
        }
    }
}

/// A place in a run.
struct Position: Comparable, Sendable {
    let stage: Stage
    /// Steps done in the stage.
    let step: Int

    static func < (left: Position, right: Position) -> Bool {
        (left.stage, left.step) < (right.stage, right.step)
    }
}

extension Position {
    private struct Line: Decodable {
        let stage: String
        let step: Int
    }

    /// The place that a line of the log speaks of; nil where the line is not whole.
    init?(metricsLine line: Substring) {
        do {
            let line = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
            guard let stage = Families.stage(named: line.stage) else { return nil }
            self.init(stage: stage, step: line.step)
        } catch {
            return nil
        }
    }
}
