import CZlib
import Files
import Foundation

/// Where every image of a data set lies and what it is: in memory after listing a folder, mapped
/// from a file after `saccader-dist dataset index`.
///
/// The file: magic and version, length of the header, number of records, bytes of names, CRC-32 of
/// all that follows (32 bytes in all); the header (JSON: files, classes and how it was made); the
/// records, 64 bytes each, ordered by origin, class and file name; the names.
public final class ImageIndex: Sendable {
    static let magic = Array("SACIDX01".utf8)
    static let prefixSize = 32

    /// A file or folder that holds images.
    struct Container: Codable, Equatable, Sendable {
        /// Absolute, or from the index's folder on.
        var path: String
        /// The size in bytes; nil for a folder, whose images are files of their own.
        var size: Int?
    }

    /// A class.
    struct Class: Codable, Equatable, Sendable {
        /// ImageNet's synset, or the folder's name.
        var name: String
        /// What it shows, where that is known.
        var words: String?
    }

    /// How the index was made.
    struct Header: Codable, Equatable, Sendable {
        var files: [Container] = []
        /// The classes in byte order of their names: a class's place is its number.
        var classes: [Class] = []
        /// The division into train and dev: of each class, this part or number of images.
        var developmentFraction: Double?
        var developmentImagesPerClass: Int?
        /// The part of each class that was held out as val, where nothing else divided the images.
        var validationFraction: Double?
        var seed: UInt64 = 0
        /// Whether every image was decoded.
        var isVerified = false
    }

    /// Where the index was read from, or the folder that was listed.
    let path: String
    /// The folder from which relative paths of its files count; nil: the working folder.
    let folder: String?
    let header: Header
    let count: Int
    private let content: Data
    private let recordStart: Int
    private let nameStart: Int

    /// Takes records that were made in memory; `path` is the folder that was listed.
    init(path: String, header: Header, records: [ImageRecord], names: [UInt8]) {
        var bytes = [UInt8]()
        bytes.reserveCapacity(records.count * ImageRecord.byteCount + names.count)
        for record in records { record.append(to: &bytes) }
        (self.path, self.header, count, folder) = (path, header, records.count, nil)
        (recordStart, nameStart) = (0, bytes.count)
        content = Data(bytes + names)
    }

    /// Maps an index file and checks all of it.
    public convenience init(reading path: String) throws(ImagesError) {
        try Self.readThrough(path)
        let content: Data
        do {
            content = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        } catch {
            throw .inputOutput(path: path, reason: error.localizedDescription)
        }
        try self.init(content, path: path)
    }

    /// Reads all of a file: what a disk cannot read is an error here, and would end the program where
    /// the file is mapped.
    private static func readThrough(_ path: String) throws(ImagesError) {
        let file = try ByteFile(path)
        var bytes = [UInt8]()
        for start in stride(from: 0, to: file.size, by: 1 << 20) {
            try file.read(at: start, count: min(1 << 20, file.size - start), into: &bytes)
        }
    }

    init(_ content: Data, path: String) throws(ImagesError) {
        func damage(_ what: String) -> ImagesError {
            .damaged(
                path: path, what: what,
                remedy: "make it again: saccader-dist dataset index … --output INDEX")
        }
        guard content.count >= Self.prefixSize, content.starts(with: Self.magic) else {
            throw .damaged(
                path: path, what: "is no index of images but \(ContentKind(content).what)",
                remedy: "make an index of it: saccader-dist dataset index \(path) --output INDEX")
        }
        let numbers = content.withUnsafeBytes { bytes in
            (1..<4).map {
                UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self))
            }
        }
        let headerSize = Int(numbers[0] & 0xFFFF_FFFF)
        guard let count = Int(exactly: numbers[1]), let nameSize = Int(exactly: numbers[2] >> 32),
            count <= content.count / ImageRecord.byteCount,
            Self.prefixSize + headerSize + count * ImageRecord.byteCount + nameSize
                == content.count
        else { throw damage("has \(content.count) bytes, not as many as its head says") }
        self.path = path
        folder = path.parentFolder
        self.count = count
        self.content = content
        recordStart = Self.prefixSize + headerSize
        nameStart = recordStart + count * ImageRecord.byteCount
        guard Self.checksum(content.dropFirst(Self.prefixSize)) == UInt32(numbers[2] & 0xFFFF_FFFF)
        else { throw damage("is damaged: its checksum does not fit") }
        do {
            header = try JSONDecoder().decode(
                Header.self, from: content.dropFirst(Self.prefixSize).prefix(headerSize))
        } catch {
            throw damage("is of another version of the program")
        }
        guard (0..<count).allSatisfy({ isSound($0, nameSize: nameSize) }) else {
            throw damage("is damaged: a record points outside")
        }
    }

    /// Whether everything that the record at `row` points to is there.
    private func isSound(_ row: Int, nameSize: Int) -> Bool {
        guard let record = record(ifSoundAt: row), Int(record.file) < header.files.count,
            Int(record.classNumber) < header.classes.count,
            record.nameOffset <= nameSize,
            UInt64(record.nameLength) <= UInt64(nameSize) - record.nameOffset
        else { return false }
        guard let size = header.files[Int(record.file)].size else { return true }
        return record.offset <= size && record.size <= UInt64(max(0, size)) - record.offset
    }

    private func record(ifSoundAt row: Int) -> ImageRecord? {
        content.withUnsafeBytes {
            ImageRecord($0, at: recordStart + row * ImageRecord.byteCount)
        }
    }

    /// What is known of the image at `row`.
    subscript(row: Int) -> ImageRecord {
        precondition(row >= 0 && row < count, "row \(row) of \(count)")
        // Reading has checked that each record is sound.
        return record(ifSoundAt: row) ?? ImageRecord()
    }

    /// The image's path in ImageNet's layout, for example `train/n01440764/x.JPEG`, wherever it
    /// lies.
    func name(_ row: Int) -> String { fileName(row).text }

    /// The same as bytes.
    func fileName(_ row: Int) -> FileName {
        let record = self[row]
        let start = content.startIndex + nameStart + Int(record.nameOffset)
        return FileName(content[start..<(start + Int(record.nameLength))])
    }

    /// The same images with what is now known of them.
    func replacing(header: Header, records: [ImageRecord]) -> ImageIndex {
        ImageIndex(
            path: path, header: header, records: records,
            names: [UInt8](content[(content.startIndex + nameStart)...]))
    }

    /// Changes with the images found, their places and files (`stamp`: when these were written),
    /// and with what is looked at.
    func fingerprint(stamp: UInt64, verifies: Bool) -> UInt64 {
        let files = header.files.map { "\($0.path)\t\($0.size ?? -1)\n" }.joined()
        let sums = [Data(files.utf8), content].map { UInt64(Self.checksum($0)) }
        return (sums[0] << 32 ^ sums[1] << 1 ^ (verifies ? 1 : 0)) &+ stamp
    }

    /// The bytes of an index file.
    func encoded() throws(ImagesError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var body: Data
        do {
            body = try encoder.encode(header)
        } catch {
            throw .unwritable(path: path, reason: "the header cannot be encoded: \(error)")
        }
        let headerSize = UInt64(body.count)
        body.append(content[(content.startIndex + recordStart)...])
        let nameSize = UInt64(content.count - nameStart)
        var file = Data(Self.magic)
        for number in [headerSize, UInt64(count), nameSize << 32 | UInt64(Self.checksum(body))] {
            withUnsafeBytes(of: number.littleEndian) { file.append(contentsOf: $0) }
        }
        file.append(body)
        return file
    }

    /// CRC-32, as gzip and PNG use it.
    static func checksum(_ bytes: some ContiguousBytes) -> UInt32 {
        bytes.withUnsafeBytes { buffer in
            UInt32(
                truncatingIfNeeded: crc32_z(
                    0, buffer.bindMemory(to: UInt8.self).baseAddress, buffer.count))
        }
    }
}
