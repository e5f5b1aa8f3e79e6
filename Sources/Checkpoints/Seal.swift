import Files
import Foundation

/// The last bytes of a checkpoint, after the end of the HDF5 data: a checksum of all before them.
///
/// With it a file that was cut or changed anywhere, names and attributes included, is known before
/// HDF5 sees it. HDF5 itself ignores what follows its data, and a program that changes the file
/// drops it: a file without a seal is as good as the checksums of its datasets. The header says how
/// many bytes were sealed: a file of just so many has lost its seal and was not added to.
enum Seal {
    private static let head = Array("\nsaccader seal fnv1a64 ".utf8)
    /// Bytes of a seal: the head, 16 hexadecimal digits and a line feed.
    static let byteCount = 40

    /// The seal of an HDF5 file's bytes.
    static func bytes(of file: UnsafeRawBufferPointer) -> [UInt8] {
        var checksum = Checksum()
        checksum.addWords(file)
        return head + Array(checksum.text.utf8) + [UInt8(ascii: "\n")]
    }

    /// Reads the whole file and compares.
    ///
    /// - Returns: The bytes of a file that has no seal; nil where it has a right one.
    /// - Throws: Where the file cannot be read, or is not what was sealed.
    static func check(_ path: String) throws(CheckpointError) -> Int? {
        try ReadableFile.require(path)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CheckpointError(reading: path) }
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        let body = size - byteCount
        let tail = try read(descriptor, path, from: max(0, body), count: min(size, byteCount))
        guard tail.starts(with: head), tail.last == UInt8(ascii: "\n") else {
            try checkLength(descriptor, path, size: size)
            return size
        }
        var checksum = Checksum()
        var first = 0
        while first < body {
            let piece = try read(descriptor, path, from: first, count: min(1 << 20, body - first))
            piece.withUnsafeBytes { checksum.addWords($0) }
            first += piece.count
        }
        guard Array(checksum.text.utf8) == Array(tail.dropFirst(head.count).dropLast()) else {
            throw .damaged(
                path: path, what: "does not match its seal: it was changed after it was written")
        }
        return nil
    }

    /// A file without a whole seal has to end where HDF5 says, which is in its first block.
    private static func checkLength(
        _ descriptor: Int32, _ path: String, size: Int
    ) throws(CheckpointError) {
        let block = try read(descriptor, path, from: 0, count: min(size, 48))
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        // Version 0 with addresses of eight bytes, as this program writes it.
        guard block.count == 48, block.starts(with: signature), block[8] == 0, block[13] == 8
        else { return }
        let end = block[40..<48].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard end <= UInt64(size) else {
            throw .damaged(path: path, what: "is cut short: \(size) of \(end) bytes")
        }
        guard end == UInt64(size) || UInt64(size) - end > UInt64(byteCount) else {
            throw .damaged(path: path, what: "is cut short or changed: its seal is not whole")
        }
    }

    private static func read(
        _ descriptor: Int32, _ path: String, from first: Int, count: Int
    ) throws(CheckpointError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress.map { $0 + done }, count - done, first + done)
            }
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else {
                throw .inputOutput(
                    path: path,
                    reason: got < 0 ? String(cString: strerror(errno)) : "it shrinks while read")
            }
            done += got
        }
        return bytes
    }
}
