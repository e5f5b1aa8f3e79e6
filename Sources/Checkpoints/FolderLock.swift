import Files
import Foundation

/// A process's claim to write into a folder; another one's is refused.
///
/// The system holds two locks, and drops them however the process ends: a run that was killed does
/// not keep the next one out. One is on the file `.lock`, which works across hosts where the file
/// system has locks, as NFS does, but is gone where somebody deletes the file; one is on the folder
/// itself, which network file systems may not have. Where neither is seen elsewhere, the file's
/// text still tells whose the folder is: who finds another's there has lost it (``state``).
public final class FolderLock: Sendable {
    /// How a claim stands.
    public enum State: Equatable, Sendable {
        /// The folder is this process's.
        case held
        /// `.lock` was deleted, or the folder is another one.
        case gone
        /// Somebody else has signed it since, as "process 12 on host".
        case taken(holder: String)
    }

    private let path: String
    private let text: String
    /// The locked file, and the folder where that is locked too.
    private let descriptors: [Int32]

    private init(_ path: String, _ text: String, _ descriptors: [Int32]) {
        (self.path, self.text, self.descriptors) = (path, text, descriptors)
    }

    deinit {
        if state == .held { unlink(path) }
        for descriptor in descriptors { close(descriptor) }
    }

    /// How the claim stands now.
    public var state: State {
        guard let found = Self.read(path) else {
            // What cannot be read now, as with a umask of 777, is there all the same.
            return errno == ENOENT || errno == ENOTDIR ? .gone : .held
        }
        if found == text { return .held }
        return found.isEmpty ? .gone : .taken(holder: Self.holder(found))
    }

    /// Claims a folder that is there.
    ///
    /// - Parameters:
    ///   - patience: Seconds for which a process that is just ending may still hold it.
    ///   - warn: Told where the file system has no locks.
    /// - Throws: `inUse` where another process has it.
    public static func claim(
        _ folder: String, patience: Double = 5, warn: (String) -> Void
    ) throws(CheckpointError) -> FolderLock {
        let path = "\(folder)/.lock"
        let deadline = DispatchTime.now() + patience
        while true {
            switch try attempt(folder, path) {
            case .success(let lock, let reason):
                if let reason {
                    warn(
                        "\(folder): no lock (\(reason)): a second run in this folder would go "
                            + "unnoticed for some seconds, then the first one ends; start one at "
                            + "a time")
                }
                return lock
            case .inUse:
                guard DispatchTime.now() < deadline else {
                    throw .inUse(folder: folder, holder: holder(read(path) ?? ""))
                }
                usleep(100_000)
            }
        }
    }

    private enum Attempt {
        /// The reason: why it is no lock of the system.
        case success(FolderLock, reason: String?)
        case inUse
    }

    private static func attempt(
        _ folder: String, _ path: String
    ) throws(CheckpointError) -> Attempt {
        var descriptors: [Int32] = []
        var isClaimed = false
        defer { if !isClaimed { descriptors.forEach { close($0) } } }
        // Many network file systems cannot lock what is not open for writing; then the file does.
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directory >= 0 {
            descriptors.append(directory)
            if lock(directory) == EWOULDBLOCK { return .inUse }
        }
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw .file(FileError(writing: folder)) }
        descriptors.append(file)
        let code = lock(file)
        // Who held it before takes it away at its end, and this is one that has no name any more.
        if code == EWOULDBLOCK || !isStillThere(path, file) { return .inUse }
        let text =
            "\(ProcessInfo.processInfo.hostName) \(getpid()) "
            + "\(String(UInt64.random(in: 0...UInt64.max), radix: 16))\n"
        let bytes = Array(text.utf8)
        guard ftruncate(file, 0) == 0, pwrite(file, bytes, bytes.count, 0) == bytes.count
        else { throw .file(FileError(writing: folder)) }
        isClaimed = true
        return .success(
            FolderLock(path, text, descriptors),
            reason: code == 0 ? nil : String(cString: strerror(code)))
    }

    /// Locks what is open, without waiting.
    ///
    /// - Returns: 0 or the system's error number.
    private static func lock(_ descriptor: Int32) -> Int32 {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno != EINTR { return errno }
        }
        return 0
    }

    /// Whether the locked file is that of the name.
    private static func isStillThere(_ path: String, _ descriptor: Int32) -> Bool {
        var (named, locked) = (stat(), stat())
        return stat(path, &named) == 0 && fstat(descriptor, &locked) == 0
            && named.st_ino == locked.st_ino
    }

    /// The lock file's text; nil where it cannot be opened, for the reason that `errno` has then.
    private static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 400)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    /// Who has signed: `HOST PROCESS NUMBER`, the last of which tells apart what has equal names.
    private static func holder(_ text: String) -> String {
        let words = text.split(whereSeparator: \.isWhitespace)
        return words.count > 1 ? "process \(words[1]) on \(words[0])" : "a process unknown"
    }
}
