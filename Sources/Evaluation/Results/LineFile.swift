import Checkpoints
import Foundation

/// A text that grows by whole lines: whatever happens, no half a line stays.
final class LineFile {
    private let path: String
    private let descriptor: Int32
    private var length: Int

    /// Opens a file that is there.
    init(appendingTo path: String) throws(CheckpointError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CheckpointError(writing: path) }
        length = Int(lseek(descriptor, 0, SEEK_END))
    }

    deinit { close(descriptor) }

    /// Appends whole lines, all or none.
    func append(_ lines: String) throws(CheckpointError) {
        let bytes = Array(lines.utf8)
        var done = 0
        while done < bytes.count {
            errno = 0
            let count = bytes[done...].withUnsafeBytes {
                pwrite(descriptor, $0.baseAddress, $0.count, length + done)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let code = count < 0 ? errno : ENOSPC
                ftruncate(descriptor, off_t(length))
                throw CheckpointError(writing: path, code: code)
            }
            done += count
        }
        length += bytes.count
    }
}
