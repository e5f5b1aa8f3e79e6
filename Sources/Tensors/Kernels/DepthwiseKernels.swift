/// Sums over windows of pixels, each channel for itself: what depthwise convolutions and average
/// pooling do with the rows of an image.
///
/// Pixels are padded to whole vectors of 16 channels (`paddedChannels`): no vector is cut short in
/// the inner loops, and what stands in the padding is never stored.
public enum DepthwiseKernels {
    /// One tap of a window: where its first column reads, and what is multiplied with it.
    public struct Tap {
        let source: UnsafePointer<Float>
        let weights: UnsafePointer<Float>

        /// Names padded pixels, and the tap's weights `[C]`, padded.
        public init(source: UnsafePointer<Float>, weights: UnsafePointer<Float>) {
            (self.source, self.weights) = (source, weights)
        }
    }

    /// One tap of a kernel's gradient: where its first column reads, and what is added to.
    public struct GradientTap {
        let source: UnsafePointer<Float>
        let sums: UnsafeMutablePointer<Float>

        /// Names padded pixels, and the tap's sums `[C]`, padded.
        public init(source: UnsafePointer<Float>, sums: UnsafeMutablePointer<Float>) {
            (self.source, self.sums) = (source, sums)
        }
    }

    /// Channels of a padded pixel.
    public static func paddedChannels(_ channels: Int) -> Int { (channels + 15) / 16 * 16 }

    /// `output[m] = Σ over taps of weights · source[m]` for the columns m below `count`.
    ///
    /// - Parameters:
    ///   - step: Numbers between the sources of neighbouring columns.
    ///   - channels: Padded.
    ///   - outputStep: Numbers between neighbouring columns of the output.
    public static func sum(
        _ taps: UnsafeBufferPointer<Tap>, count: Int, step: Int, channels: Int,
        into output: UnsafeMutablePointer<Float>, outputStep: Int
    ) {
        var channel = 0
        while channel < channels {
            var column = 0
            while column + 4 <= count {
                var first = SIMD16<Float>(repeating: 0)
                var (second, third, fourth) = (first, first, first)
                let offset = channel + column * step
                for tap in taps {
                    let weights = Float.loadBlock(tap.weights + channel)
                    let source = tap.source + offset
                    first.addProduct(weights, Float.loadBlock(source))
                    second.addProduct(weights, Float.loadBlock(source + step))
                    third.addProduct(weights, Float.loadBlock(source + 2 * step))
                    fourth.addProduct(weights, Float.loadBlock(source + 3 * step))
                }
                let result = output + column * outputStep + channel
                Float.storeBlock(first, to: result)
                Float.storeBlock(second, to: result + outputStep)
                Float.storeBlock(third, to: result + 2 * outputStep)
                Float.storeBlock(fourth, to: result + 3 * outputStep)
                column += 4
            }
            while column < count {
                var sum = SIMD16<Float>(repeating: 0)
                let offset = channel + column * step
                for tap in taps {
                    sum.addProduct(
                        Float.loadBlock(tap.weights + channel),
                        Float.loadBlock(tap.source + offset))
                }
                Float.storeBlock(sum, to: output + column * outputStep + channel)
                column += 1
            }
            channel += 16
        }
    }

    /// `sums += Σ over columns m below count of gradient[m] · source[m]` for each tap.
    ///
    /// - Parameters:
    ///   - gradient: Padded pixels, one after the other.
    ///   - step: Numbers between the sources of neighbouring columns.
    ///   - channels: Padded.
    public static func addProducts(
        _ taps: UnsafeBufferPointer<GradientTap>, gradient: UnsafePointer<Float>, count: Int,
        step: Int, channels: Int
    ) {
        var channel = 0
        while channel < channels {
            var tap = 0
            // Five sums, a gradient and a factor fill the registers.
            while tap + 5 <= taps.count {
                let sources = (
                    taps[tap].source + channel, taps[tap + 1].source + channel,
                    taps[tap + 2].source + channel, taps[tap + 3].source + channel,
                    taps[tap + 4].source + channel
                )
                var first = Float.loadBlock(taps[tap].sums + channel)
                var second = Float.loadBlock(taps[tap + 1].sums + channel)
                var third = Float.loadBlock(taps[tap + 2].sums + channel)
                var fourth = Float.loadBlock(taps[tap + 3].sums + channel)
                var fifth = Float.loadBlock(taps[tap + 4].sums + channel)
                for column in 0..<count {
                    let value = Float.loadBlock(gradient + column * channels + channel)
                    let offset = column * step
                    first.addProduct(value, Float.loadBlock(sources.0 + offset))
                    second.addProduct(value, Float.loadBlock(sources.1 + offset))
                    third.addProduct(value, Float.loadBlock(sources.2 + offset))
                    fourth.addProduct(value, Float.loadBlock(sources.3 + offset))
                    fifth.addProduct(value, Float.loadBlock(sources.4 + offset))
                }
                Float.storeBlock(first, to: taps[tap].sums + channel)
                Float.storeBlock(second, to: taps[tap + 1].sums + channel)
                Float.storeBlock(third, to: taps[tap + 2].sums + channel)
                Float.storeBlock(fourth, to: taps[tap + 3].sums + channel)
                Float.storeBlock(fifth, to: taps[tap + 4].sums + channel)
                tap += 5
            }
            while tap + 2 <= taps.count {
                let sources = (taps[tap].source + channel, taps[tap + 1].source + channel)
                var first = Float.loadBlock(taps[tap].sums + channel)
                var second = Float.loadBlock(taps[tap + 1].sums + channel)
                for column in 0..<count {
                    let value = Float.loadBlock(gradient + column * channels + channel)
                    first.addProduct(value, Float.loadBlock(sources.0 + column * step))
                    second.addProduct(value, Float.loadBlock(sources.1 + column * step))
                }
                Float.storeBlock(first, to: taps[tap].sums + channel)
                Float.storeBlock(second, to: taps[tap + 1].sums + channel)
                tap += 2
            }
            while tap < taps.count {
                let source = taps[tap].source + channel
                var sum = Float.loadBlock(taps[tap].sums + channel)
                for column in 0..<count {
                    sum.addProduct(
                        Float.loadBlock(gradient + column * channels + channel),
                        Float.loadBlock(source + column * step))
                }
                Float.storeBlock(sum, to: taps[tap].sums + channel)
                tap += 1
            }
            channel += 16
        }
    }
}
