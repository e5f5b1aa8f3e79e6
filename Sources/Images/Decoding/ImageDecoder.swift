/// What the head of an image file says.
struct ImageHead: Equatable, Sendable {
    /// File formats; the numbers stand in the index.
    enum Format: UInt8, Sendable {
        case jpeg = 1
        case png = 2
    }

    let format: Format
    /// In pixels.
    let height: Int
    /// In pixels.
    let width: Int
    let traits: ImageTraits
}

/// Reads image files; their content says which format they have, not their names. One per thread.
final class ImageDecoder {
    private let jpeg = JPEGDecoder()

    /// What the head of a file's bytes says, without decoding.
    func head(_ data: [UInt8], path: String) throws(ImagesError) -> ImageHead {
        if PNGDecoder.isPNG(data) { return try PNGDecoder.head(data, path: path) }
        if Self.isJPEG(data) { return try jpeg.head(data, path: path) }
        let head = try head(Self.unpacked(data, path: path), path: path)
        return ImageHead(
            format: head.format, height: head.height, width: head.width,
            traits: head.traits.union(.packed))
    }

    /// Decodes a file's bytes to RGB; EXIF orientation is ignored.
    func decode(_ data: [UInt8], path: String) throws(ImagesError) -> Pixels {
        if PNGDecoder.isPNG(data) { return try PNGDecoder.decode(data, path: path) }
        if Self.isJPEG(data) { return try jpeg.decode(data, path: path) }
        return try decode(Self.unpacked(data, path: path), path: path)
    }

    private static func isJPEG(_ data: [UInt8]) -> Bool { data.starts(with: [0xFF, 0xD8]) }

    /// A picture that is compressed with gzip, as some of ImageNet's are; anything else is none.
    private static func unpacked(_ data: [UInt8], path: String) throws(ImagesError) -> [UInt8] {
        guard Gzip.isPacked(data) else {
            throw .unreadable(path: path, reason: ContentKind(data).reason)
        }
        let content: [UInt8]
        do throws(Gzip.Damage) {
            content = try Gzip.unpacked(data)
        } catch {
            throw .unreadable(path: path, reason: "compressed with gzip, it \(error.what)")
        }
        guard PNGDecoder.isPNG(content) || isJPEG(content) else {
            throw .unreadable(
                path: path, reason: "compressed with gzip; in it, \(ContentKind(content).reason)")
        }
        return content
    }
}
