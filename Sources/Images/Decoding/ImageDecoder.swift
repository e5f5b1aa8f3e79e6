/// What the head of an image file says.
struct ImageHead: Equatable, Sendable {
    /// File formats; the numbers stand in the index.
    enum Format: UInt8, Sendable {
        case jpeg = 1
        case png = 2
        case webp = 3

        /// The format that a file's name claims.
        init(ending: String) {
            switch ending {
            case "png": self = .png
            case "webp": self = .webp
            default: self = .jpeg
            }
        }

        /// The format of a file's bytes; nil where it is not read here.
        init?(_ data: [UInt8]) {
            if PNGDecoder.isPNG(data) {
                self = .png
            } else if data.starts(with: [0xFF, 0xD8]) {
                self = .jpeg
            } else if WebPDecoder.isWebP(data) {
                self = .webp
            } else {
                return nil
            }
        }
    }

    let format: Format
    /// The height, in pixels.
    let height: Int
    /// The width, in pixels.
    let width: Int
    let traits: ImageTraits
}

/// Reads image files; their content says which format they have, not their names. One per thread.
final class ImageDecoder {
    private let jpeg = JPEGDecoder()
    private let transparency: Transparency
    private let orientation: Orientation

    /// Reads images as `configuration` says.
    init(_ configuration: DataConfiguration = DataConfiguration()) {
        (transparency, orientation) = (configuration.transparency, configuration.orientation)
    }

    /// What the head of a file's bytes says, without decoding.
    func head(_ data: [UInt8], path: String) throws(ImagesError) -> ImageHead {
        switch ImageHead.Format(data) {
        case .png: return try PNGDecoder.head(data, path: path)
        case .jpeg: return try jpeg.head(data, path: path)
        case .webp: return try WebPDecoder.head(data, path: path)
        case nil:
            let head = try head(Self.unpacked(data, path: path), path: path)
            return ImageHead(
                format: head.format, height: head.height, width: head.width,
                traits: head.traits.union(.packed))
        }
    }

    /// Decodes a file's bytes to RGB.
    func decode(_ data: [UInt8], path: String) throws(ImagesError) -> Pixels {
        let (pixels, turn): (Pixels, () -> Int)
        switch ImageHead.Format(data) {
        case .png:
            pixels = try PNGDecoder.decode(data, path: path, transparency)
            turn = { PNGDecoder.orientation(data) }
        case .jpeg:
            pixels = try jpeg.decode(data, path: path)
            turn = { JPEGMarkers(data).orientation }
        case .webp:
            pixels = try WebPDecoder.decode(data, path: path, transparency)
            turn = { WebPDecoder.orientation(data) }
        case nil:
            return try decode(Self.unpacked(data, path: path), path: path)
        }
        return orientation == .ignore ? pixels : pixels.upright(turn())
    }

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
        guard ImageHead.Format(content) != nil else {
            throw .unreadable(
                path: path, reason: "compressed with gzip; in it, \(ContentKind(content).reason)")
        }
        return content
    }
}
