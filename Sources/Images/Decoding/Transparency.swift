/// What becomes of pictures with an alpha channel.
public enum Transparency: String, Codable, CaseIterable, Sendable {
    /// The channel is left out: the colours are those that are stored, also where nothing is seen.
    case drop
    /// The picture lies on white.
    case white
    /// The picture lies on black.
    case black
    /// The picture lies on a grey of 128.
    case grey

    private var background: Int? {
        switch self {
        case .drop: nil
        case .white: 255
        case .black: 0
        case .grey: 128
        }
    }

    /// Red, green and blue of pixels with alpha, rounded to the nearest as Pillow's `paste` does it.
    ///
    /// - Parameter colors: `[height, width, 4]`, not multiplied with alpha.
    func flattened(_ colors: [UInt8], height: Int, width: Int) -> Pixels {
        let (count, background) = (height * width, background)
        let bytes = [UInt8](unsafeUninitializedCapacity: count * 3) { result, filled in
            for pixel in 0..<count {
                let alpha = Int(colors[pixel * 4 + 3])
                for channel in 0..<3 {
                    let color = colors[pixel * 4 + channel]
                    result[pixel * 3 + channel] =
                        background.map {
                            UInt8((Int(color) * alpha + $0 * (255 - alpha) + 127) / 255)
                        } ?? color
                }
            }
            filled = count * 3
        }
        return Pixels(height: height, width: width, bytes: bytes)
    }
}

/// Whether a picture is turned as its camera was held.
public enum Orientation: String, Codable, CaseIterable, Sendable {
    /// The pixels are taken as they are stored.
    case ignore
    /// What EXIF says of the orientation is heeded.
    case exif
}
