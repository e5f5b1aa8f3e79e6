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
            return ImageHead(
                format: .png, height: Int(image.height), width: Int(image.width), traits: traits)
        }
    }

    /// Decodes a file's bytes; transparency is dropped, 16 bits become 8, grey becomes RGB, and the
    /// numbers stay as they are stored, whatever gamma the file claims, as in Pillow.
    static func decode(_ data: [UInt8], path: String) throws(ImagesError) -> Pixels {
        try read(withoutGamma(data), path: path) { image throws(ImagesError) in
            image.format = png_rgba_format()
            image.flags |= png_16bit_srgb_flag()
            let (height, width) = (Int(image.height), Int(image.width))
            var colors = [UInt8](repeating: 0, count: height * width * 4)
            guard png_image_finish_read(&image, nil, &colors, Int32(width * 4), nil) != 0 else {
                throw .unreadable(path: path, reason: message(image))
            }
            var bytes = [UInt8]()
            bytes.reserveCapacity(height * width * 3)
            for start in stride(from: 0, to: colors.count, by: 4) {
                bytes.append(contentsOf: colors[start..<(start + 3)])
            }
            return Pixels(height: height, width: width, bytes: bytes)
        }
    }

    /// A file's bytes without a chunk gAMA, by which libpng would convert to sRGB.
    private static func withoutGamma(_ data: [UInt8]) -> [UInt8] {
        var place = signature.count
        while place + 12 <= data.count {
            let length = data[place..<(place + 4)].reduce(0) { $0 << 8 | Int($1) }
            let type = data[(place + 4)..<(place + 8)]
            let end = place + 12 + length
            // Pixels follow: a gamma after them is not heeded.
            guard end <= data.count, !type.elementsEqual("IDAT".utf8) else { return data }
            if type.elementsEqual("gAMA".utf8) { return Array(data[..<place] + data[end...]) }
            place = end
        }
        return data
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
