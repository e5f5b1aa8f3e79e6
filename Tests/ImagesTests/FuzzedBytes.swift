import Foundation

#if canImport(Images)
    @testable import Images
#endif

/// Bytes from anywhere, given to the readers; also compiled into cluster/faults/fuzz, which tries
/// out what else there may be.
enum FuzzedBytes: String, CaseIterable {
    case image, tar, labels, table, mat, index

    /// The name in messages.
    static let path = "damaged-copy"

    /// Reads as far as the bytes make sense.
    func read(_ bytes: [UInt8]) throws(ImagesError) {
        switch self {
        case .image: try Self.image(bytes)
        case .tar: try Self.tar(bytes)
        case .labels:
            var labels = Labels()
            try labels.add(bytes, path: Self.path)
        case .table:
            guard var table = try ImageTable(bytes, path: Self.path) else { return }
            while let row = try table.next() { precondition(!row.path.bytes.isEmpty) }
        case .mat:
            // The ending says that it is MATLAB's.
            var labels = Labels()
            try labels.add(bytes, path: "\(Self.path).mat")
        case .index: try Self.index(bytes)
        }
    }

    private static func image(_ bytes: [UInt8]) throws(ImagesError) {
        let decoder = ImageDecoder()
        let head = try decoder.head(bytes, path: path)
        // What is large only takes time.
        guard head.height * head.width < 1 << 18 else { return }
        let pixels = try decoder.decode(bytes, path: path)
        precondition(pixels.height == head.height && pixels.width == head.width)
        var upright = DataConfiguration()
        (upright.orientation, upright.transparency) = (.exif, .grey)
        _ = try ImageDecoder(upright).decode(bytes, path: path)
    }

    /// An archive, perhaps of archives.
    private static func tar(_ bytes: [UInt8]) throws(ImagesError) {
        let file = ByteFile(path: path, content: bytes)
        let tree = try TarTree(file) { _ in }
        for entry in tree.entries([]) where entry.isFolder { _ = tree.entries([entry.name]) }
        var reader = TarReader(file)
        while let member = try reader.next() {
            _ = try file.bytes(at: member.offset, count: member.size)
            var members = TarReader(member, of: file)
            while let inner = try members.next() {
                precondition(inner.offset + inner.size <= member.offset + member.size)
            }
        }
    }

    /// With a checksum that fits, so that what follows it is looked at too.
    private static func index(_ bytes: [UInt8]) throws(ImagesError) {
        var bytes = bytes
        if bytes.count > ImageIndex.prefixSize {
            let sum = ImageIndex.checksum(Array(bytes.dropFirst(ImageIndex.prefixSize)))
            withUnsafeBytes(of: sum.littleEndian) { bytes.replaceSubrange(24..<28, with: $0) }
        }
        let index = try ImageIndex(Data(bytes), path: path)
        for row in 0..<index.count { _ = (index[row], index.name(row)) }
    }
}
