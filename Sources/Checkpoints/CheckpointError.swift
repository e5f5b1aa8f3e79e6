import Files
import Foundation

/// What can go wrong with a checkpoint or another HDF5 file.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
    /// There is no such file.
    case missing(path: String)
    /// What is there is no file, or may not be read.
    case unreadable(path: String, what: String)
    /// The file is not what it should be.
    case damaged(path: String, what: String)
    /// The file is sound, but of another model than the settings'.
    case misfit(path: String, what: String)
    /// Another program has changed an array of a file that it opened for writing, or the disk has.
    case edited(path: String, array: String)
    /// Another process writes into the folder.
    case inUse(folder: String, holder: String)
    /// A file or folder cannot be written, or the disk fails.
    case file(FileError)

    /// A disk that fails in reading.
    static func inputOutput(path: String, reason: String) -> CheckpointError {
        .file(FileError(path: path, reason: reason, isOfDisk: true))
    }

    /// What a call returns that writes files, its error as one of these.
    static func of<Value>(
        _ value: @autoclosure () throws(FileError) -> Value
    ) throws(CheckpointError) -> Value {
        do { return try value() } catch { throw .file(error) }
    }

    /// What the system says of a file that cannot be read.
    ///
    /// - Parameter code: The system's error number.
    init(reading path: String, code: Int32 = errno) {
        let reason = String(cString: strerror(code))
        self =
            switch code {
            case ENOENT, ENOTDIR: .missing(path: path)
            case EACCES, EPERM:
                .unreadable(
                    path: path, what: "cannot be read: \(reason); look at its rights (ls -l)")
            default: .inputOutput(path: path, reason: reason)
            }
    }

    /// One line: what, where, what to do next.
    public var description: String {
        switch self {
        case .missing(let path):
            "\(path): no such file; give the path of a checkpoint such as DIR/checkpoints/last.h5"
        case .unreadable(let path, let what):
            "\(path): \(what)"
        case .damaged(let path, let what):
            "\(path): \(what); use another checkpoint of the same folder or write it anew"
        case .misfit(let path, let what):
            "\(path): \(what); give the settings that it was written with, or begin a run with what "
                + "fits of it: saccader-dist train --init-from \(path), with another --output"
        case .edited(let path, let array):
            "\(path): \(array) does not match its checksum: the file was changed by another program, or "
                + "damaged; give --accept-edited to take it as it is, or use another checkpoint"
        case .inUse(let folder, let holder):
            "\(folder): another run writes there, \(holder); wait for its end, stop it, or choose "
                + "another --output"
        case .file(let error): error.description
        }
    }
}
