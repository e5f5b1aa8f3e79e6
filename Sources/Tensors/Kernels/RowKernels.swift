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

        /// `scale·values + shift` of 16 channels.
        @inline(__always)
        func callAsFunction(_ values: SIMD16<Float>, channel: Int, lanes: Int) -> SIMD16<Float> {
            Float.load(shift + channel, lanes: lanes).addingProduct(
                Float.load(scale + channel, lanes: lanes), values)
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
        switch (affine, rectify) {
        case (let affine?, true):
            RowWalk.blocks(rows: rows, channels: channels) { position, channel, lanes in
                let values = Element.load(source + position, lanes: lanes)
                Result.store(
                    affine(values, channel: channel, lanes: lanes).rectified,
                    to: result + position, lanes: lanes)
            }
        case (let affine?, false):
            RowWalk.blocks(rows: rows, channels: channels) { position, channel, lanes in
                let values = Element.load(source + position, lanes: lanes)
                Result.store(
                    affine(values, channel: channel, lanes: lanes), to: result + position,
                    lanes: lanes)
            }
        case (nil, _):
            RowWalk.blocks(rows: 1, channels: rows * channels) { position, _, lanes in
                let values = Element.load(source + position, lanes: lanes)
                Result.store(
                    rectify ? values.rectified : values, to: result + position, lanes: lanes)
            }
        }
    }

    /// Narrows `count` consecutive numbers into storage.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func store<Element: StorageElement>(
        _ source: UnsafePointer<Float>, count: Int, into result: UnsafeMutablePointer<Element>
    ) {
        RowWalk.blocks(rows: 1, channels: count) { position, _, lanes in
            Element.store(
                Float.load(source + position, lanes: lanes), to: result + position, lanes: lanes)
        }
    }

    /// Adds each channel's sum and sum of squares over the rows to `sums`, `[2, C]`, and narrows
    /// the rows into `result`; where that is `Float` they are already there.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func storeAddingMoments<Element: StorageElement>(
        _ values: UnsafePointer<Float>, rows: Int, channels: Int,
        to sums: UnsafeMutablePointer<Double>, into result: UnsafeMutablePointer<Element>
    ) {
        RowWalk.sums(rows: rows, channels: channels, tables: 2, to: sums) {
            position, rowCount, channel, lanes, part in
            var sum = SIMD16<Float>(repeating: 0)
            var squares = SIMD16<Float>(repeating: 0)
            var position = position
            for _ in 0..<rowCount {
                let value = Float.load(values + position, lanes: lanes)
                sum += value
                squares.addProduct(value, value)
                if Element.self != Float.self {
                    Element.store(value, to: result + position, lanes: lanes)
                }
                position += channels
            }
            RowWalk.add(sum, to: part + channel, lanes: lanes)
            RowWalk.add(squares, to: part + channels + channel, lanes: lanes)
        }
    }

    /// Adds each channel's sum over the rows to `sums`, `[C]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func addSums<Element: StorageElement>(
        _ values: UnsafePointer<Element>, rows: Int, channels: Int,
        to sums: UnsafeMutablePointer<Float>
    ) {
        RowWalk.blocks(rows: rows, channels: channels) { position, channel, lanes in
            RowWalk.add(
                Element.load(values + position, lanes: lanes), to: sums + channel, lanes: lanes)
        }
    }

    /// Adds a bias `[C]` to every row.
    public static func addBias(
        _ bias: UnsafePointer<Float>, to values: UnsafeMutablePointer<Float>,
        rows: Int, channels: Int
    ) {
        RowWalk.blocks(rows: rows, channels: channels) { position, channel, lanes in
            RowWalk.add(
                Float.load(bias + channel, lanes: lanes), to: values + position, lanes: lanes)
        }
    }
}
