import Foundation
import Synchronization

/// Reads the images of an index from the files that they lie in, by any number of threads at once.
final class ImageStorage: Sendable {
    /// Archives that stay open; more than these are opened anew for each image.
    private static let mostOpen = 256

    let index: ImageIndex
    /// Where the index's files are now.
    private let paths: [String]
    private let open = Mutex<[Int: ByteFile]>([:])

    init(_ index: ImageIndex) {
        self.index = index
        paths = index.header.files.map { file in
            index.folder.map { Self.resolve(file.path, beside: $0) } ?? file.path
        }
    }

    /// Relative paths count from the index's folder; a file that is no more where it was may have
    /// moved together with the index.
    private static func resolve(_ path: String, beside folder: String) -> String {
        func inFolder(_ name: String) -> String { folder.isEmpty ? name : "\(folder)/\(name)" }
        guard path.hasPrefix("/") else { return inFolder(path) }
        let moved = inFolder((path as NSString).lastPathComponent)
        let isMissing = !FileManager.default.fileExists(atPath: path)
        return isMissing && FileManager.default.fileExists(atPath: moved) ? moved : path
    }

    /// The first folder of images, if there is one.
    var folder: String? {
        index.header.files.indices.first { index.header.files[$0].size == nil }.map { paths[$0] }
    }

    /// Refuses archives that are missing or have another size than when they were indexed.
    func check() throws(ImagesError) {
        for (number, container) in index.header.files.enumerated() {
            guard let size = container.size else { continue }
            let found: ByteFile
            do {
                found = try file(number)
            } catch .missing(let path, _) {
                throw .missing(
                    path: path,
                    remedy:
                        "\(index.path) needs it: put it there or beside the index, or index again")
            }
            guard found.size == size else {
                throw .damaged(
                    path: found.path,
                    what: "has \(found.size) bytes, but \(size) when it was indexed",
                    remedy: "copy it again or index again")
            }
        }
    }

    /// Where an image lies, for messages.
    func path(_ row: Int) -> String {
        let record = index[row]
        guard index.header.files[Int(record.file)].size == nil else {
            return "\(paths[Int(record.file)]): \(index.name(row)) (byte \(record.offset))"
        }
        return filePath(row, record).text
    }

    /// The path of an image that is a file of its own.
    private func filePath(_ row: Int, _ record: ImageRecord) -> FileName {
        let (folder, name) = (FileName(paths[Int(record.file)]), index.fileName(row))
        guard !record.traits.isDisjoint(with: [.flat, .bare]) else { return folder.appending(name) }
        var parts = FileName.parts(of: name.bytes)
        if record.traits.contains(.flat), parts.count > 1 { parts.remove(at: 1) }
        if record.traits.contains(.bare), parts.count > 1 { parts.removeFirst() }
        return folder.appending(FileName(joining: parts))
    }

    /// Makes `bytes` the image's file; where the index knows its checksum, it has to fit.
    func read(_ row: Int, into bytes: inout [UInt8]) throws(ImagesError) {
        let record = index[row]
        if index.header.files[Int(record.file)].size != nil {
            let file = try file(Int(record.file))
            try file.read(at: Int(record.offset), count: Int(record.size), into: &bytes)
        } else {
            let file = try ByteFile(filePath(row, record))
            guard record.size == 0 || file.size == Int(record.size) else {
                throw .damaged(
                    path: file.path,
                    what: "has \(file.size) bytes, but \(record.size) when it was indexed",
                    remedy: "restore it or index again")
            }
            try file.read(at: 0, count: file.size, into: &bytes)
        }
        // Without an index file nobody has looked at the bytes before: the checksum is then 0.
        guard record.checksum == 0 || record.checksum == ImageIndex.checksum(bytes) else {
            throw .damaged(
                path: path(row), what: "holds other bytes than when it was indexed",
                remedy: "restore it or index again")
        }
    }

    private func file(_ number: Int) throws(ImagesError) -> ByteFile {
        if let file = open.withLock({ $0[number] }) { return file }
        let file = try ByteFile(paths[number])
        open.withLock { if $0.count < Self.mostOpen { $0[number] = file } }
        return file
    }
}
