/// Elementwise work on a chunk of rows `[rows, C]` while it is in cache.
///
/// All kernels walk 16 channels at a time (one cache line) down the chunk's rows, with the
/// per-channel coefficients in registers; the channels that are left over go one by one. They are
/// specialised for each storage element, so the generic layers above cost nothing.
public enum RowKernels {
    /// A per-channel factor and offset.
    public struct Affine {
        let scale: UnsafePointer<Float>
        let shift: UnsafePointer<Float>

        /// Names the coefficients, `[C]` each.
        public init(scale: UnsafePointer<Float>, shift: UnsafePointer<Float>) {
            self.scale = scale
            self.shift = shift
        }
    }

    @inline(__always)
    static func block(_ pointer: UnsafePointer<Float>, _ channel: Int) -> SIMD16<Float> {
        Float.loadBlock(pointer + channel)
    }

    @inline(__always)
    static func rectified(_ block: SIMD16<Float>) -> SIMD16<Float> {
        block.cleared(where: block .< SIMD16(repeating: 0))
    }

    /// `result = relu?(scale·source + shift)`; without `affine` the source itself.
    ///
    /// Source rows are dense `[rows, C]`; result rows lie `resultStride` apart.
    @_specialize(where Element == Float, Result == Float)
    @_specialize(where Element == BFloat16, Result == Float)
    @_specialize(where Element == BFloat16, Result == BFloat16)
    public static func apply<Element: StorageElement, Result: StorageElement>(
        _ source: UnsafePointer<Element>, affine: Affine?, rectify: Bool,
        rows: Int, channels: Int,
        into result: UnsafeMutablePointer<Result>, resultStride: Int
    ) {
        let floor: Float = rectify ? 0 : -.infinity
        let floors = SIMD16<Float>(repeating: floor)
        var channel = 0
        while channel + 16 <= channels {
            let scale = affine.map { block($0.scale, channel) } ?? SIMD16(repeating: 1)
            let shift = affine.map { block($0.shift, channel) } ?? SIMD16(repeating: 0)
            var from = source + channel
            var to = result + channel
            for _ in 0..<rows {
                let value = shift.addingProduct(scale, Element.loadBlock(from))
                Result.storeBlock(value.raised(to: floors), to: to)
                from += channels
                to += resultStride
            }
            channel += 16
        }
        while channel < channels {
            let scale = affine.map { $0.scale[channel] } ?? 1
            let shift = affine.map { $0.shift[channel] } ?? 0
            for row in 0..<rows {
                let value = shift.addingProduct(scale, source[row * channels + channel].widened)
                result[row * resultStride + channel] = Result(
                    narrowing: value < floor ? floor : value)
            }
            channel += 1
        }
    }

    /// Narrows a chunk into storage.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func store<Element: StorageElement>(
        _ source: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<Element>
    ) {
        var index = 0
        while index + 16 <= count {
            Element.storeBlock(Float.loadBlock(source + index), to: result + index)
            index += 16
        }
        while index < count {
            result[index] = Element(narrowing: source[index])
            index += 1
        }
    }

    /// Adds each channel's sum and sum of squares over the rows to `sums`, `[2, C]`.
    public static func addMoments(
        _ values: UnsafePointer<Float>, rows: Int, channels: Int,
        to sums: UnsafeMutablePointer<Double>
    ) {
        var channel = 0
        while channel + 16 <= channels {
            var sum = SIMD16<Float>(repeating: 0)
            var squares = SIMD16<Float>(repeating: 0)
            var from = values + channel
            for _ in 0..<rows {
                let value = Float.loadBlock(from)
                sum += value
                squares.addProduct(value, value)
                from += channels
            }
            for lane in 0..<16 {
                sums[channel + lane] += Double(sum[lane])
                sums[channels + channel + lane] += Double(squares[lane])
            }
            channel += 16
        }
        while channel < channels {
            var (sum, squares) = (Float(0), Float(0))
            for row in 0..<rows {
                let value = values[row * channels + channel]
                sum += value
                squares.addProduct(value, value)
            }
            sums[channel] += Double(sum)
            sums[channels + channel] += Double(squares)
            channel += 1
        }
    }

    /// Adds each channel's sum over the rows to `sums`, `[C]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func addSums<Element: StorageElement>(
        _ values: UnsafePointer<Element>, rows: Int, channels: Int,
        to sums: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<rows {
            for channel in 0..<channels {
                sums[channel] += values[row * channels + channel].widened
            }
        }
    }

    /// Adds a bias `[C]` to every row.
    public static func addBias(
        _ bias: UnsafePointer<Float>, to values: UnsafeMutablePointer<Float>,
        rows: Int, channels: Int
    ) {
        for row in 0..<rows {
            for channel in 0..<channels { values[row * channels + channel] += bias[channel] }
        }
    }
}
