import Foundation

/// Paths, one a line, that come through a pipe: each is known as soon as it has come.
///
/// Where the pipe holds a zero byte before any line's end, zero bytes end the paths, as
/// `find -print0` writes them. A pipe that begins as a picture does is a picture itself.
final class PathStream {
    /// Longer than any path: what has no line's end for so long is no list.
    private static let longestLine = 1 << 16

    private let name: FileName
    private let descriptor: Int32
    private let ownsDescriptor: Bool
    private var buffer: [UInt8] = []
    private var hasEnded = false
    private var hasBegun = false
    private var separator = UInt8(ascii: "\n")

    /// Reads from standard input.
    init() { (name, descriptor, ownsDescriptor) = (FileName("-"), STDIN_FILENO, false) }

    /// Reads from a named pipe or device.
    init(_ path: FileName) throws(ImagesError) {
        errno = 0
        let descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw ByteFile.failure(path, errno) }
        (name, self.descriptor, ownsDescriptor) = (path, descriptor, true)
    }

    deinit { if ownsDescriptor { close(descriptor) } }

    /// The next picture; nil after the last.
    ///
    /// - Parameter onWait: Told when there is nothing to read yet, and when there is again.
    func next(onWait: (Bool) -> Void) throws(ImagesError) -> PictureFile? {
        if !hasBegun {
            hasBegun = true
            while buffer.count < ContentKind.headSize, try fill(onWait: onWait) {
                if buffer.contains(where: { $0 == 0 || $0 == UInt8(ascii: "\n") }) { break }
            }
            if ContentKind(buffer).isPicture {
                while try fill(onWait: onWait) {}
                defer { buffer = [] }
                return PictureFile(name, content: buffer)
            }
        }
        while true {
            if let line = try takeLine(onWait: onWait) {
                let path = FileName(PictureList.path(line))
                if !path.bytes.isEmpty { return PictureFile(path) }
            } else {
                return nil
            }
        }
    }

    private func takeLine(onWait: (Bool) -> Void) throws(ImagesError) -> ArraySlice<UInt8>? {
        var searched = 0
        while true {
            if let end = buffer[searched...].firstIndex(where: { $0 == separator || $0 == 0 }) {
                separator = buffer[end]
                defer { buffer.removeFirst(end + 1) }
                return buffer[..<end]
            }
            searched = buffer.count
            if searched > Self.longestLine {
                throw .damaged(
                    path: name.text, what: "is no list of paths: a line has no end",
                    remedy: "give one path a line")
            }
            if try !fill(onWait: onWait) {
                if buffer.isEmpty { return nil }
                defer { buffer = [] }
                return buffer[...]
            }
        }
    }

    /// Reads some more; false at the end.
    private func fill(onWait: (Bool) -> Void) throws(ImagesError) -> Bool {
        if hasEnded { return false }
        var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let mustWait = poll(&ready, 1, 0) == 0
        if mustWait { onWait(true) }
        defer { if mustWait { onWait(false) } }
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            errno = 0
            let count = piece.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress, $0.count)
            }
            if count > 0 {
                buffer += piece[..<count]
                return true
            }
            if count == 0 {
                hasEnded = true
                return false
            }
            if errno == EINTR { continue }
            throw .inputOutput(path: name.text, reason: String(cString: strerror(errno)))
        }
    }
}
