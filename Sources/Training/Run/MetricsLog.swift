import Checkpoints
import Evaluation
import Families
import Foundation
import Models
import Synchronization

/// `metrics.jsonl`: one object a line, appended as training goes on.
///
/// Lines that the disk does not take are kept and written later, also where it fails only when they
/// are flushed: a full disk leaves no gap, unless the run is killed before it has room again.
final class MetricsLog: Sendable {
    private let path: String
    private let descriptor: Int32
    private let state: Mutex<State>
    /// The place of the last line that was there when the log was opened.
    let lastPosition: Position?

    private struct State {
        /// Bytes of whole lines in the file.
        var length: Int
        /// The last of them, which were not flushed to the disk yet.
        var unflushed: [UInt8] = []
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
            note(CheckpointError(writing: path, code: code), in: &state)
            // No half a line stays.
            ftruncate(descriptor, length)
            return
        }
        state.length += count
        state.unflushed += state.pending
        state.pending = []
    }

    private func note(_ failure: CheckpointError, in state: inout State) {
        if state.failure == nil { state.untold = failure }
        state.failure = failure
    }

    /// What went wrong, once until it works again.
    func takeFailure() -> CheckpointError? {
        state.withLock { state in
            defer { state.untold = nil }
            return state.untold
        }
    }

    /// Writes the file anew where somebody has deleted it, or put another one in its place, which is
    /// kept under another name: what is written goes into the old one, which nobody can see.
    private func restore() {
        var (named, own) = (stat(), stat())
        guard fstat(descriptor, &own) == 0, own.st_mode & S_IFMT == S_IFREG else { return }
        if stat(path, &named) == 0 && (named.st_dev, named.st_ino) == (own.st_dev, own.st_ino) {
            return
        }
        guard let lines = FileManager.default.contents(atPath: "/proc/self/fd/\(descriptor)") else {
            return
        }
        state.withLock { state in
            do throws(CheckpointError) {
                _ = try AtomicFile.setAside(path)
                try AtomicFile.write(path, data: lines)
                let file = open(path, O_WRONLY | O_CLOEXEC)
                guard file >= 0 else { throw CheckpointError(writing: path) }
                // The number stays, for whoever is writing.
                dup2(file, descriptor)
                close(file)
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            } catch {
                note(error, in: &state)
            }
        }
    }

    /// Has all lines so far flushed to the disk; what goes wrong is told by ``takeFailure()``.
    func synchronize() {
        restore()
        let length = state.withLock { state in
            if !state.pending.isEmpty { flush(&state) }
            return state.pending.isEmpty ? state.length : nil
        }
        guard let length else { return }
        let code = fsync(descriptor) == 0 ? 0 : errno
        state.withLock { state in
            if code == 0 {
                state.unflushed.removeFirst(state.unflushed.count - (state.length - length))
                state.failure = nil
            } else {
                note(CheckpointError(writing: path, code: code), in: &state)
                // The system gives up what it could not write: it is written once more.
                state.length -= state.unflushed.count
                state.pending = state.unflushed + state.pending
                state.unflushed = []
            }
        }
    }

    /// Has all lines flushed to the disk; an error where some are lost.
    func finish() throws(CheckpointError) {
        synchronize()
        if let failure = state.withLock(\.failure) { throw failure }
    }
}

/// A value of the log.
enum MetricsValue {
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
