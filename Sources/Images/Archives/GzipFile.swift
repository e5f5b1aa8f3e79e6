import CZlib
import Foundation

/// Small gzip-compressed files.
enum GzipFile {
    /// More than this comes from an attack, not from a development kit.
    static let largestSize = 256 << 20

    /// Whether the file begins as gzip does.
    static func isGzip(_ file: ByteFile) throws(ImagesError) -> Bool {
        guard file.size > 18 else { return false }
        return try file.bytes(at: 0, count: 2) == [0x1F, 0x8B]
    }

    /// The content, in memory.
    static func unpacked(_ path: String) throws(ImagesError) -> ByteFile {
        ByteFile(path: path, content: try content(path))
    }

    private static func content(_ path: String) throws(ImagesError) -> [UInt8] {
        guard let file = gzopen(path, "rb") else {
            throw .inputOutput(path: path, reason: String(cString: strerror(errno)))
        }
        defer { gzclose(file) }
        var (bytes, chunk) = ([UInt8](), [UInt8](repeating: 0, count: 1 << 16))
        while true {
            let count = gzread(file, &chunk, UInt32(chunk.count))
            if count == 0 { break }
            guard count > 0, bytes.count + Int(count) <= largestSize else {
                let what = count > 0 ? "holds more than \(largestSize >> 20) MiB" : reason(file)
                throw .damaged(
                    path: path, what: what, remedy: "download it again, or give its unpacked folder"
                )
            }
            bytes += chunk.prefix(Int(count))
        }
        var code: Int32 = 0
        _ = gzerror(file, &code)
        guard code == Z_OK || code == Z_STREAM_END else {
            throw .damaged(
                path: path, what: reason(file), remedy: "download it again")
        }
        return bytes
    }

    private static func reason(_ file: gzFile) -> String {
        var code: Int32 = 0
        return "cannot be unpacked: \(String(cString: gzerror(file, &code)))"
    }
}
