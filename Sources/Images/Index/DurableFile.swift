import Foundation

/// Writes a file that is there completely or not at all, also after a power failure.
enum DurableFile {
    /// Replaces the file at `path`.
    static func write(_ path: String, _ content: Data) throws(ImagesError) {
        // A name that nothing has yet.
        let temporary = "\(path).\(UUID().uuidString).tmp"
        do {
            try content.write(to: URL(fileURLWithPath: temporary), options: .withoutOverwriting)
            let handle = try FileHandle(forUpdating: URL(fileURLWithPath: temporary))
            try handle.synchronize()
            try handle.close()
        } catch {
            unlink(temporary)
            throw .unwritable(path: path, reason: error.localizedDescription)
        }
        guard rename(temporary, path) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(temporary)
            throw .unwritable(path: path, reason: reason)
        }
        let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }
}
