/// The backward counterparts of `RowKernels`: gradients of a chunk of rows, in cache.
public enum GradientKernels {
    /// What batch norm's backward does to each channel: `p·gradient + q·raw + r`.
    public struct Coefficients {
        let p: UnsafePointer<Float>
        let q: UnsafePointer<Float>
        let r: UnsafePointer<Float>

        /// Names the three coefficients, `[C]` each.
        public init(
            p: UnsafePointer<Float>, q: UnsafePointer<Float>, r: UnsafePointer<Float>
        ) {
            (self.p, self.q, self.r) = (p, q, r)
        }
    }

    /// `result = p·gradient + q·raw + r`: the gradient of a raw convolution output, `[rows, C]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func throughNorm<Element: StorageElement>(
        _ gradient: UnsafePointer<Element>, raw: UnsafePointer<Element>,
        _ coefficients: Coefficients, rows: Int, channels: Int,
        into result: UnsafeMutablePointer<Element>
    ) {
        var channel = 0
        while channel + 16 <= channels {
            let p = RowKernels.block(coefficients.p, channel)
            let q = RowKernels.block(coefficients.q, channel)
            let r = RowKernels.block(coefficients.r, channel)
            var position = channel
            for _ in 0..<rows {
                let value = r.addingProduct(q, Element.loadBlock(raw + position))
                    .addingProduct(p, Element.loadBlock(gradient + position))
                Element.storeBlock(value, to: result + position)
                position += channels
            }
            channel += 16
        }
        while channel < channels {
            let (p, q, r) = (
                coefficients.p[channel], coefficients.q[channel], coefficients.r[channel]
            )
            for row in 0..<rows {
                let position = row * channels + channel
                result[position] = Element(
                    narrowing: r.addingProduct(q, raw[position].widened)
                        .addingProduct(p, gradient[position].widened))
            }
            channel += 1
        }
    }

    /// Sets the gradient to 0 where the activation `affine(raw)` was not positive.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func mask<Element: StorageElement>(
        _ gradient: UnsafeMutablePointer<Float>, where raw: UnsafePointer<Element>,
        affine: RowKernels.Affine?, rows: Int, channels: Int
    ) {
        let zero = SIMD16<Float>(repeating: 0)
        var channel = 0
        while channel + 16 <= channels {
            let scale =
                affine.map { RowKernels.block($0.scale, channel) } ?? SIMD16(repeating: 1)
            let shift = affine.map { RowKernels.block($0.shift, channel) } ?? zero
            var position = channel
            for _ in 0..<rows {
                let value = shift.addingProduct(scale, Element.loadBlock(raw + position))
                let masked = Float.loadBlock(gradient + position)
                    .cleared(where: value .<= zero)
                Float.storeBlock(masked, to: gradient + position)
                position += channels
            }
            channel += 16
        }
        while channel < channels {
            let scale = affine.map { $0.scale[channel] } ?? 1
            let shift = affine.map { $0.shift[channel] } ?? 0
            for row in 0..<rows {
                let position = row * channels + channel
                if shift.addingProduct(scale, raw[position].widened) <= 0 {
                    gradient[position] = 0
                }
            }
            channel += 1
        }
    }

    /// Adds Σ gradient and Σ gradient·(raw − mean) of each channel to `sums`, `[2, C]`.
    ///
    /// These are the two sums that batch norm's backward needs.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func addNormSums<Element: StorageElement>(
        _ gradient: UnsafePointer<Float>, raw: UnsafePointer<Element>,
        mean: UnsafePointer<Float>, rows: Int, channels: Int,
        to sums: UnsafeMutablePointer<Double>
    ) {
        var channel = 0
        while channel + 16 <= channels {
            let center = RowKernels.block(mean, channel)
            var sum = SIMD16<Float>(repeating: 0)
            var products = SIMD16<Float>(repeating: 0)
            var position = channel
            for _ in 0..<rows {
                let value = Float.loadBlock(gradient + position)
                sum += value
                products.addProduct(value, Element.loadBlock(raw + position) - center)
                position += channels
            }
            for lane in 0..<16 {
                sums[channel + lane] += Double(sum[lane])
                sums[channels + channel + lane] += Double(products[lane])
            }
            channel += 16
        }
        while channel < channels {
            var (sum, products) = (Float(0), Float(0))
            for row in 0..<rows {
                let position = row * channels + channel
                sum += gradient[position]
                products.addProduct(gradient[position], raw[position].widened - mean[channel])
            }
            sums[channel] += Double(sum)
            sums[channels + channel] += Double(products)
            channel += 1
        }
    }

    /// `gradient += added` over `count` consecutive elements.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func add<Element: StorageElement>(
        _ added: UnsafePointer<Element>, to gradient: UnsafeMutablePointer<Float>, count: Int
    ) {
        for index in 0..<count { gradient[index] += added[index].widened }
    }
}
