import Foundation

/// Writes files that are there completely or not at all.
public enum AtomicFile {
    /// Calls `body` with a temporary name beside `path`, flushes what it wrote to the disk and
    /// renames it; after an error nothing is left behind.
    public static func write(
        _ path: String, _ body: (String) throws(CheckpointError) -> Void
    ) throws(CheckpointError) {
        let temporary = "\(path).\(getpid()).tmp"
        do throws(CheckpointError) {
            try body(temporary)
            try synchronize(temporary)
            errno = 0
            guard rename(temporary, path) == 0 else {
                throw CheckpointError.unwritable(
                    path: path, reason: String(cString: strerror(errno)))
            }
        } catch {
            unlink(temporary)
            throw error
        }
        try synchronize(folder(of: path))
    }

    /// Writes text.
    public static func write(_ path: String, text: String) throws(CheckpointError) {
        try write(path, data: Data(text.utf8))
    }

    /// Writes bytes.
    public static func write(_ path: String, data: Data) throws(CheckpointError) {
        try write(path) { temporary throws(CheckpointError) in
            do {
                try data.write(to: URL(fileURLWithPath: temporary))
            } catch {
                throw .unwritable(path: path, reason: error.localizedDescription)
            }
        }
    }

    /// Makes `link` point to `target`, a name in the same folder, replacing an older link at once.
    public static func link(_ link: String, to target: String) throws(CheckpointError) {
        let temporary = "\(link).\(getpid()).tmp"
        unlink(temporary)
        errno = 0
        guard symlink(target, temporary) == 0, rename(temporary, link) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(temporary)
            throw .unwritable(path: link, reason: reason)
        }
    }

    /// Makes a folder and those above it.
    public static func createFolder(_ path: String) throws(CheckpointError) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .unwritable(path: path, reason: "the folder cannot be made")
        }
        guard access(path, W_OK) == 0 else {
            throw .unwritable(path: path, reason: String(cString: strerror(errno)))
        }
    }

    static func folder(of path: String) -> String {
        let folder = (path as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }

    private static func synchronize(_ path: String) throws(CheckpointError) {
        errno = 0
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else {
            throw .unwritable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw .unwritable(path: path, reason: String(cString: strerror(errno)))
        }
    }
}
