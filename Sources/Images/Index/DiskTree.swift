import Foundation

/// A folder on disk, listed as it is asked for.
struct DiskTree: SourceTree {
    let path: String
    let stem: FileName
    private let root: FileName

    init(_ path: String) {
        self.path = path
        root = FileName(path)
        stem = FileName.parts(of: path.utf8).last ?? FileName("")
    }

    private func absolute(_ parts: [FileName]) -> FileName {
        parts.isEmpty ? root : root.appending(FileName(joining: parts))
    }

    func entries(_ folder: [FileName]) throws(ImagesError) -> [SourceEntry] {
        try FolderListing.list(absolute(folder))
    }

    func identity(_ folder: [FileName]) throws(ImagesError) -> [UInt64] {
        try FolderListing.identity(absolute(folder))
    }

    func bytes(
        _ entry: SourceEntry, at parts: [FileName], limit: Int
    ) throws(ImagesError) -> [UInt8] {
        let file = try ByteFile(absolute(parts))
        return try file.bytes(at: 0, count: min(file.size, limit))
    }

    /// 0 bytes where there is nothing to read, which whoever reads it is told.
    func measure(
        _ entry: SourceEntry, at parts: [FileName]
    ) throws(ImagesError) -> (size: Int, stamp: UInt64) {
        var status = stat()
        let path = absolute(parts)
        errno = 0
        guard path.withCString({ stat($0, &status) }) == 0 else {
            if case .inputOutput(let path, let reason) = ByteFile.failure(path, errno) {
                throw .inputOutput(path: path, reason: reason)
            }
            return (0, 0)
        }
        return (Int(status.st_size), ByteFile.stamp(status))
    }

    func place(_ parts: [FileName]) -> String { absolute(parts).text }

    func shortPlace(_ parts: [FileName]) -> String { FileName(joining: parts).text }

    /// The path of a file or folder which an index holds as text.
    func named(_ parts: [FileName]) throws(ImagesError) -> String {
        let path = absolute(parts)
        guard FileName(path.text) == path else {
            throw .damaged(
                path: path.text, what: "has a name that is not text in UTF-8", remedy: "rename it")
        }
        return path.text
    }
}
