import Foundation

/// A file that is to be read, before any library sees it.
enum ReadableFile {
    /// Looks whether there is a file that may be read.
    static func require(_ path: String) throws(CheckpointError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw CheckpointError(reading: path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let isFolder = status.st_mode & S_IFMT == S_IFDIR
            let inside = ["\(path)/last.h5", "\(path)/checkpoints/last.h5"].first(
                where: isReadable)
            throw .unreadable(
                path: path,
                what: "is \(isFolder ? "a folder" : "no regular file"); give a checkpoint such as "
                    + (inside ?? "DIR/checkpoints/last.h5"))
        }
        guard isReadable(path) else { throw CheckpointError(reading: path) }
    }

    private static func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }
}
