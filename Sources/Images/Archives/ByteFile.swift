import Foundation

/// A file, on disk or unpacked in memory, that is read at given places, by any number of threads at
/// once.
final class ByteFile: Sendable {
    /// Where it is, for messages too.
    let path: String
    /// In bytes.
    let size: Int
    /// Seconds since 1970 at which it was last written.
    let modified: Int
    private let descriptor: Int32
    /// The content, where it is in memory.
    private let content: [UInt8]?

    /// Names bytes in memory.
    init(path: String, content: [UInt8]) {
        (self.path, self.content) = (path, content)
        (size, modified, descriptor) = (content.count, 0, -1)
    }

    /// Opens a file for reading.
    init(_ path: String) throws(ImagesError) {
        errno = 0
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(path, errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw Self.failure(path, code)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .unreadable(path: path, reason: "is not a regular file")
        }
        (self.path, self.descriptor, content) = (path, descriptor, nil)
        size = Int(status.st_size)
        modified = status.st_mtim.tv_sec
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private static func failure(_ path: String, _ code: Int32) -> ImagesError {
        code == ENOENT || code == ENOTDIR
            ? .missing(path: path, remedy: "check the path")
            : .inputOutput(path: path, reason: String(cString: strerror(code)))
    }

    private func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
        throws(ImagesError)
    {
        var done = 0
        while done < buffer.count {
            errno = 0
            let count = pread(
                descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done,
                off_t(offset + done))
            if count < 0 {
                if errno == EINTR { continue }
                throw Self.failure(path, errno)
            }
            if count == 0 {
                throw .damaged(
                    path: path, what: "ends at byte \(offset + done), before its content does",
                    remedy: "copy it again")
            }
            done += count
        }
    }

    /// The bytes of a part.
    func bytes(at offset: Int, count: Int) throws(ImagesError) -> [UInt8] {
        var bytes = [UInt8]()
        try read(at: offset, count: count, into: &bytes)
        return bytes
    }

    /// Makes `bytes` the bytes of a part, keeping its memory where it is large enough.
    func read(at offset: Int, count: Int, into bytes: inout [UInt8]) throws(ImagesError) {
        guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
            throw .damaged(
                path: path, what: "has \(size) bytes, not the \(count) from byte \(offset) on",
                remedy: "copy it again")
        }
        if let content {
            bytes = Array(content[offset..<(offset + count)])
            return
        }
        if bytes.count > count {
            bytes.removeLast(bytes.count - count)
        } else {
            bytes.append(contentsOf: repeatElement(0, count: count - bytes.count))
        }
        var failure: ImagesError?
        bytes.withUnsafeMutableBytes { buffer in
            do throws(ImagesError) {
                try read(at: offset, into: buffer)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
