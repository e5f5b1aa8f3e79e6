import Checkpoints
import Foundation
import SaccaderModel
import Synchronization

/// `metrics.jsonl`: one object a line, appended as training goes on.
///
/// Lines that the disk does not take are kept and written later: a full disk leaves no gap.
final class MetricsLog: Sendable {
    private let path: String
    private let descriptor: Int32
    private let state: Mutex<State>

    private struct State {
        /// Bytes of whole lines in the file.
        var length: Int
        /// Whole lines that are not in the file yet.
        var pending: [UInt8] = []
        /// What was wrong when they were to be written.
        var failure: CheckpointError?
        /// What is still to be told, also when the lines came through later.
        var untold: CheckpointError?
    }

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
        descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw .unwritable(path: path, reason: String(cString: strerror(errno)))
        }
        state = Mutex(State(length: kept.utf8.count))
    }

    deinit { close(descriptor) }

    /// Appends a line.
    func write(_ fields: [(String, MetricsValue)]) {
        let members = fields.map { "\"\($0.0)\": \($0.1.json)" }.joined(separator: ", ")
        state.withLock {
            $0.pending += Array("{\(members)}\n".utf8)
            flush(&$0)
        }
    }

    private func flush(_ state: inout State) {
        let length = state.length
        let count = state.pending.withUnsafeBytes {
            pwrite(descriptor, $0.baseAddress, $0.count, length)
        }
        guard count == state.pending.count else {
            let code = count < 0 ? errno : ENOSPC
            let failure = CheckpointError(writing: path, code: code)
            if state.failure == nil { state.untold = failure }
            state.failure = failure
            // No half a line stays.
            ftruncate(descriptor, length)
            return
        }
        state.length += count
        state.pending = []
        state.failure = nil
    }

    /// What went wrong, once until it works again.
    func takeFailure() -> CheckpointError? {
        state.withLock { state in
            defer { state.untold = nil }
            return state.untold
        }
    }

    /// Has all lines so far flushed to the disk.
    func synchronize() throws(CheckpointError) {
        let failure = state.withLock { state in
            if !state.pending.isEmpty { flush(&state) }
            return state.failure
        }
        if let failure { throw failure }
        guard fsync(descriptor) == 0 else { throw CheckpointError(writing: path) }
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
