/// Elementwise work on a chunk of rows `[rows, C]` while it is in cache.
///
/// Kernels are specialised for each storage element, so the generic layers above cost nothing.
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

        /// The coefficients of 16 channels.
        @inline(__always)
        func loaded(_ channel: Int, _ lanes: Int) -> LoadedAffine {
            LoadedAffine(
                scale: Float.load(scale + channel, lanes: lanes),
                shift: Float.load(shift + channel, lanes: lanes))
        }
    }

    /// Coefficients in registers.
    struct LoadedAffine {
        let scale: SIMD16<Float>
        let shift: SIMD16<Float>

        /// `scale·values + shift` of 16 channels.
        @inline(__always)
        func callAsFunction(_ values: SIMD16<Float>) -> SIMD16<Float> {
            shift.addingProduct(scale, values)
        }
    }

    /// `result = relu?(scale·source + shift)`; without `affine` the source itself.
    @_specialize(where Element == Float, Result == Float)
    @_specialize(where Element == BFloat16, Result == Float)
    @_specialize(where Element == BFloat16, Result == BFloat16)
    public static func apply<Element: StorageElement, Result: StorageElement>(
        _ source: UnsafePointer<Element>, affine: Affine?, rectify: Bool,
        rows: Int, channels: Int, into result: UnsafeMutablePointer<Result>
    ) {
        guard let affine else {
            @inline(__always)
            func block(_ position: Int, _ lanes: Int) {
                let ahead = position + 1024
                let values = Element.stream(source, position, lanes: lanes, ahead: ahead)
                Result.store(
                    rectify ? values.rectified : values, to: result + position, lanes: lanes)
            }
            RowWalk.blocks(count: rows * channels, block)
            return
        }
        if rectify {
            @inline(__always)
            func strip(_ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _ ahead: Int)
            {
                let affine = affine.loaded(channel, lanes)
                var position = position
                var ahead = ahead
                for _ in 0..<rowCount {
                    let values = affine(
                        Element.stream(source, position, lanes: lanes, ahead: ahead))
                    Result.store(values.rectified, to: result + position, lanes: lanes)
                    position += channels
                    ahead += 16
                }
            }
            RowWalk.strips(rows: rows, channels: channels, count: Element.stripCount, strip)
        } else {
            @inline(__always)
            func strip(_ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _ ahead: Int)
            {
                let affine = affine.loaded(channel, lanes)
                var position = position
                var ahead = ahead
                for _ in 0..<rowCount {
                    let values = affine(
                        Element.stream(source, position, lanes: lanes, ahead: ahead))
                    Result.store(values, to: result + position, lanes: lanes)
                    position += channels
                    ahead += 16
                }
            }
            RowWalk.strips(rows: rows, channels: channels, count: Element.stripCount, strip)
        }
    }

    /// Narrows `count` consecutive numbers into storage.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func store<Element: StorageElement>(
        _ source: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<Element>
    ) {
        @inline(__always)
        func block(_ position: Int, _ lanes: Int) {
            let ahead = position + 1024
            Element.streamStore(
                Float.load(source + position, lanes: lanes), to: result, position, lanes: lanes,
                ahead: ahead)
        }
        RowWalk.blocks(count: count, block)
    }

    /// `result = relu?(source + bias (+ added))`, bias `[C]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func finish<Element: StorageElement>(
        _ source: UnsafePointer<Float>, bias: UnsafePointer<Float>,
        adding added: UnsafePointer<Element>?, rectify: Bool, rows: Int, channels: Int,
        into result: UnsafeMutablePointer<Element>
    ) {
        @inline(__always)
        func strip(_ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _: Int) {
            let bias = Float.load(bias + channel, lanes: lanes)
            var position = position
            for _ in 0..<rowCount {
                var values = Float.load(source + position, lanes: lanes) + bias
                if let added { values += Element.load(added + position, lanes: lanes) }
                Element.store(
                    rectify ? values.rectified : values, to: result + position, lanes: lanes)
                position += channels
            }
        }
        RowWalk.strips(rows: rows, channels: channels, count: Element.stripCount, strip)
    }

    /// Adds each channel's sum and sum of squares over the rows to `sums`, `[2, C]`, and narrows
    /// the rows into `result`; where that is `Float` they are already there.
    ///
    /// What is summed in `Float` are distances from the first row: squares of the values themselves
    /// would drown a variance that is small beside the mean. `Double` holds both.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func storeAddingMoments<Element: StorageElement>(
        _ values: UnsafePointer<Float>, rows: Int, channels: Int,
        to sums: UnsafeMutablePointer<Double>, into result: UnsafeMutablePointer<Element>
    ) {
        @inline(__always)
        func strip(
            _ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _ ahead: Int,
            _ part: UnsafeMutablePointer<Float>
        ) {
            let center = Float.load(values + channel, lanes: lanes)
            var sum = SIMD16<Float>(repeating: 0)
            var squares = SIMD16<Float>(repeating: 0)
            var position = position
            var ahead = ahead
            for _ in 0..<rowCount {
                let value = Float.load(values + position, lanes: lanes)
                let distance = value - center
                sum += distance
                squares.addProduct(distance, distance)
                if Element.self != Float.self {
                    Element.streamStore(value, to: result, position, lanes: lanes, ahead: ahead)
                }
                position += channels
                ahead += 16
            }
            RowWalk.add(sum, to: part + channel, lanes: lanes)
            RowWalk.add(squares, to: part + channels + channel, lanes: lanes)
        }
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * channels) { buffer in
            guard let distances = buffer.baseAddress, rows > 0 else { return }
            distances.initialize(repeating: 0, count: 2 * channels)
            RowWalk.sums(
                rows: rows, channels: channels, count: Element.stripCount, tables: 2,
                to: distances, strip)
            let count = Double(rows)
            for channel in 0..<channels {
                let center = Double(values[channel])
                let (sum, squares) = (distances[channel], distances[channels + channel])
                sums[channel] += sum + count * center
                sums[channels + channel] += squares + center * (2 * sum + count * center)
            }
        }
    }

    /// Adds each channel's sum over the rows to `sums`, `[C]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func addSums<Element: StorageElement>(
        _ values: UnsafePointer<Element>, rows: Int, channels: Int,
        to sums: UnsafeMutablePointer<Float>
    ) {
        @inline(__always)
        func strip(_ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _: Int) {
            var sum = Float.load(sums + channel, lanes: lanes)
            var position = position
            for _ in 0..<rowCount {
                sum += Element.load(values + position, lanes: lanes)
                position += channels
            }
            Float.store(sum, to: sums + channel, lanes: lanes)
        }
        RowWalk.strips(rows: rows, channels: channels, count: Element.stripCount, strip)
    }

    /// Adds a bias `[C]` to every row.
    public static func addBias(
        _ bias: UnsafePointer<Float>, to values: UnsafeMutablePointer<Float>,
        rows: Int, channels: Int
    ) {
        @inline(__always)
        func strip(_ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _: Int) {
            let bias = Float.load(bias + channel, lanes: lanes)
            var position = position
            for _ in 0..<rowCount {
                RowWalk.add(bias, to: values + position, lanes: lanes)
                position += channels
            }
        }
        RowWalk.strips(rows: rows, channels: channels, count: Float.stripCount, strip)
    }
}
