import Foundation

/// A file, on disk or unpacked in memory, that is read at given places, by any number of threads at
/// once.
final class ByteFile: Sendable {
    /// Where it is, for messages too.
    let path: String
    /// The size in bytes.
    let size: Int
    /// Changes when the file is replaced or written to: of its inode and its time.
    let stamp: UInt64
    private let descriptor: Int32
    /// The content, where it is in memory.
    private let content: [UInt8]?

    /// Names bytes in memory.
    init(path: String, content: [UInt8]) {
        (self.path, self.content) = (path, content)
        (size, stamp, descriptor) = (content.count, 0, -1)
    }

    /// Opens a file for reading.
    convenience init(_ path: String) throws(ImagesError) { try self.init(FileName(path)) }

    /// Opens a file for reading. What is no regular file is not even opened: a named pipe would
    /// wait for its other end, and a device might act.
    init(_ path: FileName) throws(ImagesError) {
        try Self.requireRegular(path)
        errno = 0
        let descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else { throw Self.failure(path, errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw Self.failure(path, code)
        }
        (self.path, self.descriptor, content) = (path.text, descriptor, nil)
        size = Int(status.st_size)
        stamp = Self.stamp(status)
    }

    /// Refuses what is no file of bytes, without opening it.
    static func requireRegular(_ path: FileName) throws(ImagesError) {
        var status = stat()
        errno = 0
        guard path.withCString({ stat($0, &status) }) == 0 else { throw failure(path, errno) }
        let what: String
        switch status.st_mode & S_IFMT {
        case S_IFREG: return
        case S_IFDIR: what = "a folder"
        case S_IFIFO: what = "a named pipe"
        case S_IFSOCK: what = "a socket"
        default: what = "a device"
        }
        throw .unreadable(path: path.text, reason: "it is \(what), no regular file")
    }

    /// Changes when the file is replaced or written to.
    static func stamp(_ status: stat) -> UInt64 {
        [
            UInt64(status.st_ino), UInt64(bitPattern: Int64(status.st_mtim.tv_sec)),
            UInt64(status.st_mtim.tv_nsec),
        ].reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ $1) &* 0x100_0000_01B3 }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// What the system's error number means for the file at `path`.
    static func failure(_ path: FileName, _ code: Int32) -> ImagesError {
        switch code {
        case ENOENT, ENOTDIR, ELOOP:
            var status = stat()
            let isLink =
                path.withCString { lstat($0, &status) } == 0 && status.st_mode & S_IFMT == S_IFLNK
            return .missing(
                path: path.text,
                remedy: isLink
                    ? "it is a link that leads nowhere: restore its target or remove the link"
                    : "check the path")
        case EACCES, EPERM:
            return .forbidden(path: path.text)
        default:
            return .inputOutput(path: path.text, reason: String(cString: strerror(code)))
        }
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
                throw .inputOutput(path: path, reason: String(cString: strerror(errno)))
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
