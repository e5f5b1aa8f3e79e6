/// Moves 16 channels of pixels between storage, `[pixels, C]`, and a tile in single precision.
public enum ChannelBlock {
    /// Rows of pixels in storage or in a tile.
    public struct Rows {
        let count: Int
        let pixels: Int
        let rowLength: Int

        /// Describes `count` rows of `pixels` pixels.
        ///
        /// - Parameter rowLength: Floats between neighbouring rows of the tile.
        public init(count: Int, pixels: Int, rowLength: Int) {
            (self.count, self.pixels, self.rowLength) = (count, pixels, rowLength)
        }
    }

    /// `tile = factor · relu?(scale·source + shift)`; lanes beyond the pixel's channels are of no
    /// meaning.
    ///
    /// - Parameters:
    ///   - source: The first pixel; the rows lie one after the other.
    ///   - channel: The block's first.
    ///   - affine: Scale and shift; nil: the source itself.
    ///   - factors: A number for each pixel; nil: 1.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func widen<Element: StorageElement>(
        _ source: UnsafePointer<Element>, rows: Rows, channel: Int, channels: Int,
        affine: RowKernels.Affine?, rectify: Bool, factors: UnsafePointer<Float>?,
        into tile: UnsafeMutablePointer<Float>
    ) {
        let lanes = min(16, channels - channel)
        if let factors {
            copy(source, rows, channel, channels, into: tile) { values, pixel in
                values * factors[pixel]
            }
        } else if let affine {
            let coefficients = affine.loaded(channel, lanes)
            if rectify {
                copy(source, rows, channel, channels, into: tile) { values, _ in
                    coefficients(values).rectified
                }
            } else {
                copy(source, rows, channel, channels, into: tile) { values, _ in
                    coefficients(values)
                }
            }
        } else if rectify {
            copy(source, rows, channel, channels, into: tile) { values, _ in values.rectified }
        } else {
            copy(source, rows, channel, channels, into: tile) { values, _ in values }
        }
    }

    @inline(__always)
    private static func copy<Element: StorageElement>(
        _ source: UnsafePointer<Element>, _ rows: Rows, _ channel: Int, _ channels: Int,
        into tile: UnsafeMutablePointer<Float>,
        _ body: (_ values: SIMD16<Float>, _ pixel: Int) -> SIMD16<Float>
    ) {
        let count = rows.count * rows.pixels * channels
        var position = channel
        for row in 0..<rows.count {
            var target = tile + row * rows.rowLength
            for column in 0..<rows.pixels {
                // The lanes beyond a pixel's channels read the next pixel, where there is one.
                let values =
                    channels >= 16
                    ? Element.loadBlock(source + position)
                    : Element.load(source + position, lanes: min(16, count - position))
                Float.storeBlock(body(values, row * rows.pixels + column), to: target)
                position += channels
                target += 16
            }
        }
    }

    /// Narrows the pixels of a tile, one after the other, into storage, `[pixels, C]`.
    ///
    /// - Parameter factors: What each pixel is multiplied by; nil: 1.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func narrow<Element: StorageElement>(
        _ tile: UnsafePointer<Float>, pixels: Int, channel: Int, channels: Int,
        factors: UnsafePointer<Float>?, into result: UnsafeMutablePointer<Element>
    ) {
        let count = pixels * channels
        var position = channel
        for pixel in 0..<pixels {
            var values = Float.loadBlock(tile + pixel * 16)
            if let factors { values *= factors[pixel] }
            // The lanes beyond a pixel's channels are overwritten by the next pixel.
            Element.store(
                values, to: result + position,
                lanes: channels >= 16 ? 16 : min(16, count - position))
            position += channels
        }
    }
}
