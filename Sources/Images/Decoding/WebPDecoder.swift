import CWebP

/// Reads WebP files.
enum WebPDecoder {
    /// Whether a file's bytes are WebP's.
    static func isWebP(_ data: [UInt8]) -> Bool {
        data.starts(with: "RIFF".utf8) && data.dropFirst(8).starts(with: "WEBP".utf8)
    }

    private static func features(
        _ data: [UInt8], path: String
    ) throws(ImagesError) -> WebPBitstreamFeatures {
        var features = WebPBitstreamFeatures()
        guard WebPGetFeatures(data, data.count, &features) == VP8_STATUS_OK else {
            throw .unreadable(path: path, reason: "WebP: its head is damaged or cut off")
        }
        guard features.has_animation == 0 else {
            throw .unreadable(
                path: path,
                reason: "an animated WebP (make a picture of its first frame: webpmux -get frame 1 "
                    + "FILE -o FRAME.webp)")
        }
        try Pixels.requireFit(
            height: Int(features.height), width: Int(features.width), path: path)
        return features
    }

    /// What the head of a file's bytes says, without decoding.
    static func head(_ data: [UInt8], path: String) throws(ImagesError) -> ImageHead {
        let features = try features(data, path: path)
        var traits: ImageTraits = []
        if features.has_alpha != 0 { traits.insert(.alpha) }
        if orientation(data) != ExifOrientation.usual { traits.insert(.rotated) }
        return ImageHead(
            format: .webp, height: Int(features.height), width: Int(features.width),
            traits: traits)
    }

    /// Decodes a file's bytes.
    static func decode(
        _ data: [UInt8], path: String, _ transparency: Transparency
    ) throws(ImagesError) -> Pixels {
        let features = try features(data, path: path)
        let (height, width) = (Int(features.height), Int(features.width))
        let hasAlpha = features.has_alpha != 0
        let channels = hasAlpha ? 4 : 3
        var colors = [UInt8](repeating: 0, count: height * width * channels)
        let stride = Int32(width * channels)
        let isDecoded = colors.withUnsafeMutableBufferPointer { buffer in
            let decode = hasAlpha ? WebPDecodeRGBAInto : WebPDecodeRGBInto
            return decode(data, data.count, buffer.baseAddress, buffer.count, stride) != nil
        }
        guard isDecoded else {
            throw .unreadable(path: path, reason: "WebP: its pixels are damaged or cut off")
        }
        return hasAlpha
            ? transparency.flattened(colors, height: height, width: width)
            : Pixels(height: height, width: width, bytes: colors)
    }

    /// EXIF's orientation, from the chunk of that name: chunks follow the head of 12 bytes, each with
    /// a name, a little-endian length and an even number of bytes.
    static func orientation(_ data: [UInt8]) -> Int {
        var place = 12
        while place + 8 <= data.count {
            let length = data[(place + 4)..<(place + 8)].reversed().reduce(0) {
                $0 << 8 | Int($1)
            }
            let start = place + 8
            guard length <= data.count - start else { break }
            if data[place..<(place + 4)].elementsEqual("EXIF".utf8) {
                return ExifOrientation.orientation(data[start..<(start + length)])
                    ?? ExifOrientation.usual
            }
            place = start + length + length % 2
        }
        return ExifOrientation.usual
    }
}
