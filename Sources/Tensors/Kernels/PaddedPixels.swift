/// Moves pixels between storage, `[pixels, C]`, and single precision padded to whole vectors.
public enum PaddedPixels {
    /// `result = relu?(scale·source + shift)`; without `affine` the source itself. What stands in
    /// the padding is of no meaning.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func widen<Element: StorageElement>(
        _ source: UnsafePointer<Element>, affine: RowKernels.Affine?, rectify: Bool, pixels: Int,
        channels: Int, into result: UnsafeMutablePointer<Float>
    ) {
        let (padded, count) = (DepthwiseKernels.paddedChannels(channels), pixels * channels)
        var channel = 0
        while channel < channels {
            let coefficients = affine.map { $0.loaded(channel, min(16, channels - channel)) }
            var (position, target) = (channel, channel)
            for _ in 0..<pixels {
                // The lanes beyond a pixel's channels read the next pixel, where there is one.
                var values = Element.load(source + position, lanes: min(16, count - position))
                if let coefficients { values = coefficients(values) }
                Float.storeBlock(rectify ? values.rectified : values, to: result + target)
                position += channels
                target += padded
            }
            channel += 16
        }
    }

    /// Narrows padded pixels into storage, `[pixels, C]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func narrow<Element: StorageElement>(
        _ source: UnsafePointer<Float>, pixels: Int, channels: Int,
        into result: UnsafeMutablePointer<Element>
    ) {
        let (padded, count) = (DepthwiseKernels.paddedChannels(channels), pixels * channels)
        for pixel in 0..<pixels {
            var channel = 0
            while channel < channels {
                let position = pixel * channels + channel
                // The lanes beyond a pixel's channels are overwritten by the next pixel.
                Element.store(
                    Float.loadBlock(source + pixel * padded + channel), to: result + position,
                    lanes: min(16, count - position))
                channel += 16
            }
        }
    }

    /// Multiplies a padded pixel by a number.
    public static func scale(
        _ pixel: UnsafeMutablePointer<Float>, by factor: Float, channels: Int
    ) {
        var channel = 0
        while channel < channels {
            Float.storeBlock(Float.loadBlock(pixel + channel) * factor, to: pixel + channel)
            channel += 16
        }
    }
}
