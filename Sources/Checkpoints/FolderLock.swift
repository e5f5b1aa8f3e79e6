import Files
import Foundation

/// A process's claim to write into a folder; another one's is refused.
///
/// The system holds the lock, and drops it however the process ends: a run that was killed does
/// not keep the next one out. It works across hosts where the file system has locks, as NFS does.
public final class FolderLock: Sendable {
    private let path: String
    private let descriptor: Int32

    private init(_ path: String, _ descriptor: Int32) {
        (self.path, self.descriptor) = (path, descriptor)
    }

    deinit {
        unlink(path)
        close(descriptor)
    }

    /// Claims a folder that is there.
    ///
    /// - Parameters:
    ///   - patience: Seconds for which a process that is just ending may still hold it.
    ///   - warn: Told where the file system has no locks.
    /// - Returns: The claim, which lasts until it is released; nil where there are no locks.
    /// - Throws: `inUse` where another process has it.
    public static func claim(
        _ folder: String, patience: Double = 5, warn: (String) -> Void
    ) throws(CheckpointError) -> FolderLock? {
        let path = "\(folder)/.lock"
        let deadline = DispatchTime.now() + patience
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { throw .file(FileError(writing: folder)) }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                guard isStillThere(path, descriptor) else {
                    close(descriptor)
                    continue
                }
                let lock = FolderLock(path, descriptor)
                try lock.sign(folder)
                return lock
            }
            let code = errno
            let holder = signature(descriptor)
            close(descriptor)
            switch code {
            case EINTR: continue
            case EWOULDBLOCK:
                guard DispatchTime.now() < deadline else {
                    throw .inUse(folder: folder, holder: holder)
                }
                usleep(100_000)
            default:
                warn(
                    "\(folder): no lock (\(String(cString: strerror(code)))): a second run in this "
                        + "folder would go unnoticed; start one at a time")
                return nil
            }
        }
    }

    /// Whether the locked file is that of the name: who held it before takes it away at its end.
    private static func isStillThere(_ path: String, _ descriptor: Int32) -> Bool {
        var (named, locked) = (stat(), stat())
        return stat(path, &named) == 0 && fstat(descriptor, &locked) == 0
            && named.st_ino == locked.st_ino
    }

    /// Says whose it is: `HOST PROCESS`.
    private func sign(_ folder: String) throws(CheckpointError) {
        let text = Array("\(ProcessInfo.processInfo.hostName) \(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.count, 0) == text.count
        else { throw .file(FileError(writing: folder)) }
    }

    private static func signature(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 300)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let words = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
            .split(whereSeparator: \.isWhitespace)
        return words.count == 2 ? "process \(words[1]) on \(words[0])" : "a process unknown"
    }
}
