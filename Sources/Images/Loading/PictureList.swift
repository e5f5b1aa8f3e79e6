import Foundation

/// A file with the paths of pictures, one a line; zero bytes may end the paths instead.
///
/// Relative paths count from the working folder, or from the list's own where nothing is there.
enum PictureList {
    /// Whether a file that begins with `head` may be one.
    static func isList(_ head: [UInt8]) -> Bool {
        ContentKind(head.filter { $0 != 0 }).what == "text"
    }

    /// The paths in the list.
    static func files(_ list: ByteFile, at path: FileName) throws(ImagesError) -> [FileName] {
        let bytes = try list.bytes(at: 0, count: list.size)
        let separator = bytes.contains(0) ? 0 : UInt8(ascii: "\n")
        let folder = path.bytes.lastIndex(of: UInt8(ascii: "/")).map {
            FileName(path.bytes[..<$0])
        }
        return bytes.split(separator: separator).compactMap { line in
            let path = FileName(Self.path(line))
            if path.bytes.isEmpty { return nil }
            guard let folder, path.bytes.first != UInt8(ascii: "/"), !exists(path) else {
                return path
            }
            let beside = folder.appending(path)
            return exists(beside) ? beside : path
        }
    }

    /// A line without a byte-order mark and the line ends of other systems.
    static func path(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var line = line
        if line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        while let last = line.last, last == UInt8(ascii: "\r") || last == UInt8(ascii: "\n") {
            line = line.dropLast()
        }
        return line
    }

    private static func exists(_ path: FileName) -> Bool {
        path.withCString { access($0, F_OK) } == 0
    }
}
