import Foundation
import Synchronization

/// A file that grows by whole records: whatever happens, no half a record stays.
///
/// Records that the disk does not take are kept and written later, also where it fails only when they
/// are flushed: a full disk leaves no gap, unless the run is killed before it has room again.
public final class AppendedFile: Sendable {
    private let path: String
    private let descriptor: Int32
    private let state: Mutex<State>

    private struct State {
        /// Bytes of whole records in the file.
        var length: Int
        /// The last of them, which were not flushed to the disk yet.
        var unflushed: [UInt8] = []
        /// Whole records that are not in the file yet.
        var pending: [UInt8] = []
        /// What was wrong when they were to be written.
        var failure: FileError?
        /// What is still to be told, also when the records came through later.
        var untold: FileError?
    }

    /// Opens a file that is there.
    ///
    /// - Parameter length: Bytes of it that are whole records.
    public init(_ path: String, length: Int) throws(FileError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(writing: path) }
        state = Mutex(State(length: length))
    }

    /// Opens a file of which all that is there is whole records.
    public convenience init(appendingTo path: String) throws(FileError) {
        var status = stat()
        try self.init(path, length: stat(path, &status) == 0 ? Int(status.st_size) : 0)
    }

    deinit { close(descriptor) }

    /// Whether records wait for a disk that did not take them.
    public var isBehind: Bool { state.withLock { !$0.pending.isEmpty } }

    /// Appends a whole record.
    public func write(_ record: some Sequence<UInt8>) {
        state.withLock {
            $0.pending += record
            flush(&$0)
        }
    }

    /// Appends whole records, all or none, and keeps nothing of them: for what is not flushed.
    public func append(_ records: some Sequence<UInt8>) throws(FileError) {
        write(records)
        let failure = state.withLock { state in
            (state.pending, state.unflushed) = ([], [])
            return state.failure
        }
        if let failure { throw failure }
    }

    private func flush(_ state: inout State) {
        let length = state.length
        let count = state.pending.withUnsafeBytes {
            pwrite(descriptor, $0.baseAddress, $0.count, length)
        }
        guard count == state.pending.count else {
            let code = count < 0 ? errno : ENOSPC
            record(FileError(writing: path, code: code), in: &state)
            // No half a record stays.
            ftruncate(descriptor, length)
            return
        }
        state.length += count
        state.unflushed += state.pending
        state.pending = []
    }

    private func record(_ failure: FileError, in state: inout State) {
        if state.failure == nil { state.untold = failure }
        state.failure = failure
    }

    /// What went wrong, once until it works again.
    public func takeFailure() -> FileError? {
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
        guard let records = FileManager.default.contents(atPath: "/proc/self/fd/\(descriptor)")
        else {
            return
        }
        state.withLock { state in
            do throws(FileError) {
                _ = try AtomicFile.setAside(path)
                try AtomicFile.write(path, data: records)
                let file = open(path, O_WRONLY | O_CLOEXEC)
                guard file >= 0 else { throw FileError(writing: path) }
                // The number stays, for whoever is writing.
                dup2(file, descriptor)
                close(file)
                _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            } catch {
                record(error, in: &state)
            }
        }
    }

    /// Has all records so far flushed to the disk; what goes wrong is told by ``takeFailure()``.
    public func synchronize() {
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
                record(FileError(writing: path, code: code), in: &state)
                // The system gives up what it could not write: it is written once more.
                state.length -= state.unflushed.count
                state.pending = state.unflushed + state.pending
                state.unflushed = []
            }
        }
    }

    /// Has all records flushed to the disk; an error where some are lost.
    public func finish() throws(FileError) {
        synchronize()
        if let failure = state.withLock(\.failure) { throw failure }
    }
}
