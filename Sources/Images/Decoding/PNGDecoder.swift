import CPNG

/// Reads PNG files.
enum PNGDecoder {
    private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// Whether a file's bytes are a PNG's.
    static func isPNG(_ data: [UInt8]) -> Bool { data.starts(with: signature) }

    /// What the head of a file's bytes says, without decoding.
    static func head(_ data: [UInt8], path: String) throws(ImagesError) -> ImageHead {
        try read(data, path: path) { image throws(ImagesError) in
            // The IHDR chunk comes first: its bit depth and colour type are at fixed places.
            var traits: ImageTraits = []
            if data.count > 25 {
                if data[24] == 16 { traits.insert(.deep) }
                if data[25] & 2 == 0 { traits.insert(.grey) }
            }
            // A channel of its own, or a colour or palette entries that chunk tRNS names.
            if image.format & png_alpha_flag() != 0 { traits.insert(.alpha) }
            if orientation(data) != ExifOrientation.usual { traits.insert(.rotated) }
            return ImageHead(
                format: .png, height: Int(image.height), width: Int(image.width), traits: traits)
        }
    }

    /// Decodes a file's bytes; 16 bits become 8, grey becomes RGB, and the numbers stay as they are
    /// stored, whatever gamma the file claims, as in Pillow.
    static func decode(
        _ data: [UInt8], path: String, _ transparency: Transparency
    ) throws(ImagesError) -> Pixels {
        try read(withoutGamma(data), path: path) { image throws(ImagesError) in
            image.format = png_rgba_format()
            image.flags |= png_16bit_srgb_flag()
            let (height, width) = (Int(image.height), Int(image.width))
            var colors = [UInt8](repeating: 0, count: height * width * 4)
            guard png_image_finish_read(&image, nil, &colors, Int32(width * 4), nil) != 0 else {
                throw .unreadable(path: path, reason: message(image))
            }
            return transparency.flattened(colors, height: height, width: width)
        }
    }

    /// A file's bytes without a chunk gAMA, by which libpng would convert to sRGB.
    private static func withoutGamma(_ data: [UInt8]) -> [UInt8] {
        // After the pixels a gamma is not heeded.
        guard let gamma = chunk("gAMA", data, before: "IDAT") else { return data }
        return Array(data[..<gamma.lowerBound] + data[gamma.upperBound...])
    }

    /// EXIF's orientation, from the chunk of that name.
    static func orientation(_ data: [UInt8]) -> Int {
        guard let chunk = chunk("eXIf", data, before: "IEND") else { return ExifOrientation.usual }
        // Length and name come before the content, a checksum behind it.
        return ExifOrientation.orientation(data[chunk].dropFirst(8).dropLast(4))
            ?? ExifOrientation.usual
    }

    /// The place of the first chunk of a name, unless another comes before it.
    private static func chunk(_ name: String, _ data: [UInt8], before end: String) -> Range<Int>? {
        var place = signature.count
        while place + 12 <= data.count {
            let length = data[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
            let type = data[(place + 4)..<(place + 8)]
            let next = place + 12 + length
            guard next <= data.count, !type.elementsEqual(end.utf8) else { return nil }
            if type.elementsEqual(name.utf8) { return place..<next }
            place = next
        }
        return nil
    }

    /// Opens the image while its bytes stay where they are.
    private static func read<Value>(
        _ data: [UInt8], path: String,
        _ body: (inout png_image) throws(ImagesError) -> Value
    ) throws(ImagesError) -> Value {
        let result = data.withUnsafeBytes { bytes -> Result<Value, ImagesError> in
            var image = png_image()
            image.version = png_simplified_version()
            defer { png_image_free(&image) }
            guard
                png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0
            else { return .failure(.unreadable(path: path, reason: message(image))) }
            do throws(ImagesError) {
                try Pixels.requireFit(
                    height: Int(image.height), width: Int(image.width), path: path)
                return .success(try body(&image))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private static func message(_ image: png_image) -> String {
        withUnsafeBytes(of: image.message) { bytes in
            "PNG: " + String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
