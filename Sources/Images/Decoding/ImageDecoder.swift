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
        return try jpeg.head(data, path: path)
    }

    /// Decodes a file's bytes to RGB; EXIF orientation is ignored.
    func decode(_ data: [UInt8], path: String) throws(ImagesError) -> Pixels {
        if PNGDecoder.isPNG(data) { return try PNGDecoder.decode(data, path: path) }
        return try jpeg.decode(data, path: path)
    }
}
