import Foundation

/// A file or folder cannot be written, or its disk fails.
public struct FileError: Error, Equatable, CustomStringConvertible {
    /// The file or folder.
    public let path: String
    /// What the system says of it.
    public let reason: String
    /// Whether the disk fails, which no other name and no free space helps.
    public let isOfDisk: Bool

    /// Names the file and the reason.
    public init(path: String, reason: String, isOfDisk: Bool = false) {
        (self.path, self.reason, self.isOfDisk) = (path, reason, isOfDisk)
    }

    /// What the system says of a call that failed.
    ///
    /// - Parameter code: The system's error number.
    public init(writing path: String, code: Int32 = errno) {
        self.init(path: path, reason: String(cString: strerror(code)), isOfDisk: code == EIO)
    }

    /// One line: what, where, what to do next.
    public var description: String {
        isOfDisk
            ? "\(path): \(reason); look at the disk (dmesg) or choose another --output"
            : "\(path): cannot be written: \(reason); free space or choose another --output"
    }
}
