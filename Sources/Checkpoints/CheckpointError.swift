/// What can go wrong with a checkpoint or another HDF5 file.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
    /// There is no such file.
    case missing(path: String)
    /// The file is not what it should be.
    case damaged(path: String, what: String)
    /// A file or folder cannot be written.
    case unwritable(path: String, reason: String)

    /// One line: what, where, what to do next.
    public var description: String {
        switch self {
        case .missing(let path):
            "\(path): no such file; give the path of a checkpoint such as DIR/checkpoints/last.h5"
        case .damaged(let path, let what):
            "\(path): \(what); use another checkpoint of the same folder or write it anew"
        case .unwritable(let path, let reason):
            "\(path): cannot be written: \(reason); free space or choose another --output"
        }
    }
}
