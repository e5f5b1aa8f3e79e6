import Files
import Foundation

/// What an interrupted `dataset index` had already looked at: a file beside the index that is to
/// be, removed when that is written.
final class IndexJournal {
    static let magic = Array("SACJRN01".utf8)

    /// One image that was looked at: 24 bytes.
    struct Entry {
        let row: UInt32
        private let checksum: UInt32
        private let width: UInt32
        private let height: UInt32
        private let format: UInt8
        private let traits: UInt16

        static let byteCount = 24

        init(row: UInt32, _ record: ImageRecord) {
            self.row = row
            (checksum, width, height) = (record.checksum, record.width, record.height)
            (format, traits) = (record.format, record.traits.rawValue)
        }

        /// Reads an entry; nil where it was not written completely.
        init?(_ bytes: ArraySlice<UInt8>) {
            func word(_ place: Int) -> UInt32 {
                bytes.dropFirst(place * 4).prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
            }
            guard bytes.count == Self.byteCount,
                word(5) == ImageIndex.checksum(Array(bytes.prefix(20)))
            else { return nil }
            (row, checksum, width, height) = (word(0), word(1), word(2), word(3))
            format = UInt8(word(4) & 0xFF)
            traits = UInt16(word(4) >> 16)
        }

        var bytes: [UInt8] {
            var result = [UInt8]()
            let last = UInt32(format) | UInt32(traits) << 16
            for word in [row, checksum, width, height, last] {
                withUnsafeBytes(of: word.littleEndian) { result.append(contentsOf: $0) }
            }
            let sum = ImageIndex.checksum(result)
            withUnsafeBytes(of: sum.littleEndian) { result.append(contentsOf: $0) }
            return result
        }

        /// Writes what was seen into the image's record.
        func complete(_ record: inout ImageRecord) {
            (record.checksum, record.width, record.height) = (checksum, width, height)
            (record.format, record.traits) = (format, ImageTraits(rawValue: traits))
        }
    }

    /// What earlier runs looked at, by row.
    private(set) var entries: [UInt32: Entry] = [:]
    private let path: String
    private let file: AppendedFile

    static func path(of output: String) -> String { "\(output).partial" }

    /// Opens the journal of the index `output`; one that belongs to other images is started anew.
    init(_ output: String, fingerprint: UInt64) throws(ImagesError) {
        path = Self.path(of: output)
        var head = Self.magic
        withUnsafeBytes(of: fingerprint.littleEndian) { head.append(contentsOf: $0) }
        var length = head.count
        if let old = FileManager.default.contents(atPath: path), old.starts(with: head) {
            let bytes = [UInt8](old)
            for start in stride(from: head.count, to: bytes.count, by: Entry.byteCount) {
                let end = min(bytes.count, start + Entry.byteCount)
                guard let entry = Entry(bytes[start..<end]) else { break }
                entries[entry.row] = entry
                length = end
            }
        } else if !FileManager.default.createFile(atPath: path, contents: Data(head)) {
            throw .unwritable(path: path, reason: "the file cannot be made")
        }
        truncate(path, off_t(length))
        file = try ImagesError.of(try AppendedFile(path, length: length))
    }

    /// Adds entries.
    func append(_ entries: [Entry]) throws(ImagesError) {
        try ImagesError.of(try file.append(entries.flatMap(\.bytes)))
    }

    /// Removes the journal of an index that is complete.
    static func remove(_ output: String) { unlink(path(of: output)) }
}
