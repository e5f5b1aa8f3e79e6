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
        let (p, q, r) = (coefficients.p, coefficients.q, coefficients.r)
        @inline(__always)
        func block(_ position: Int, _ channel: Int, _ lanes: Int) {
            let value = Float.load(r + channel, lanes: lanes)
                .addingProduct(
                    Float.load(q + channel, lanes: lanes),
                    Element.stream(raw + position, lanes: lanes)
                )
                .addingProduct(
                    Float.load(p + channel, lanes: lanes),
                    Element.stream(gradient + position, lanes: lanes))
            Element.store(value, to: result + position, lanes: lanes)
        }
        RowWalk.blocks(rows: rows, channels: channels, block)
    }

    /// A ReLU that a gradient passes: its input is `affine(raw)`, or `raw`.
    public struct Mask<Element: StorageElement> {
        let raw: UnsafePointer<Element>
        let affine: RowKernels.Affine?

        /// Names the ReLU's input rows, `[rows, C]`.
        public init(_ raw: UnsafePointer<Element>, affine: RowKernels.Affine?) {
            (self.raw, self.affine) = (raw, affine)
        }
    }

    /// A batch norm that needs Σ gradient and Σ gradient·(raw − mean) of each channel.
    public struct NormSums<Element: StorageElement> {
        let raw: UnsafePointer<Element>
        let mean: UnsafePointer<Float>
        let sums: UnsafeMutablePointer<Double>

        /// The sums are added to `sums`, `[2, C]`; `raw` is `[rows, C]`.
        public init(
            raw: UnsafePointer<Element>, mean: UnsafePointer<Float>,
            sums: UnsafeMutablePointer<Double>
        ) {
            (self.raw, self.mean, self.sums) = (raw, mean, sums)
        }
    }

    /// Takes a gradient through a ReLU into storage and adds the sums of the norm before it.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func finish<Element: StorageElement>(
        _ gradient: UnsafePointer<Float>, mask: Mask<Element>, norm: NormSums<Element>,
        rows: Int, channels: Int, into result: UnsafeMutablePointer<Element>
    ) {
        let raw = mask.raw
        if let affine = mask.affine {
            @inline(__always)
            func input(_ position: Int, _ channel: Int, _ lanes: Int) -> SIMD16<Float> {
                affine(Element.stream(raw + position, lanes: lanes), channel: channel, lanes: lanes)
            }
            finish(gradient, norm, rows, channels, result, rectifierInput: input)
        } else {
            @inline(__always)
            func input(_ position: Int, _: Int, _ lanes: Int) -> SIMD16<Float> {
                Element.stream(raw + position, lanes: lanes)
            }
            finish(gradient, norm, rows, channels, result, rectifierInput: input)
        }
    }

    @inline(__always)
    private static func finish<Element: StorageElement>(
        _ gradient: UnsafePointer<Float>, _ norm: NormSums<Element>, _ rows: Int,
        _ channels: Int, _ result: UnsafeMutablePointer<Element>,
        rectifierInput: (_ position: Int, _ channel: Int, _ lanes: Int) -> SIMD16<Float>
    ) {
        let (raw, mean) = (norm.raw, norm.mean)
        @inline(__always)
        func add(
            _ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int,
            _ part: UnsafeMutablePointer<Float>
        ) {
            let center = Float.load(mean + channel, lanes: lanes)
            var sum = SIMD16<Float>(repeating: 0)
            var products = SIMD16<Float>(repeating: 0)
            var position = position
            for _ in 0..<rowCount {
                let value = Float.load(gradient + position, lanes: lanes)
                    .kept(wherePositive: rectifierInput(position, channel, lanes))
                Element.store(value, to: result + position, lanes: lanes)
                sum += value
                products.addProduct(value, Element.stream(raw + position, lanes: lanes) - center)
                position += channels
            }
            RowWalk.add(sum, to: part + channel, lanes: lanes)
            RowWalk.add(products, to: part + channels + channel, lanes: lanes)
        }
        RowWalk.sums(rows: rows, channels: channels, tables: 2, to: norm.sums, add)
    }

    /// Takes a gradient through a ReLU into storage.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func finish<Element: StorageElement>(
        _ gradient: UnsafePointer<Float>, mask: Mask<Element>, rows: Int, channels: Int,
        into result: UnsafeMutablePointer<Element>
    ) {
        @inline(__always)
        func block(_ position: Int, _ channel: Int, _ lanes: Int) {
            let raw = Element.stream(mask.raw + position, lanes: lanes)
            let input = mask.affine.map { $0(raw, channel: channel, lanes: lanes) } ?? raw
            Element.store(
                Float.load(gradient + position, lanes: lanes).kept(wherePositive: input),
                to: result + position, lanes: lanes)
        }
        RowWalk.blocks(rows: rows, channels: channels, block)
    }

    /// Adds the sums that a norm needs of a stored gradient.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func addNormSums<Element: StorageElement>(
        _ gradient: UnsafePointer<Element>, norm: NormSums<Element>, rows: Int, channels: Int
    ) {
        let (raw, mean) = (norm.raw, norm.mean)
        @inline(__always)
        func add(
            _ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int,
            _ part: UnsafeMutablePointer<Float>
        ) {
            let center = Float.load(mean + channel, lanes: lanes)
            var sum = SIMD16<Float>(repeating: 0)
            var products = SIMD16<Float>(repeating: 0)
            var position = position
            for _ in 0..<rowCount {
                let value = Element.stream(gradient + position, lanes: lanes)
                sum += value
                products.addProduct(value, Element.stream(raw + position, lanes: lanes) - center)
                position += channels
            }
            RowWalk.add(sum, to: part + channel, lanes: lanes)
            RowWalk.add(products, to: part + channels + channel, lanes: lanes)
        }
        RowWalk.sums(rows: rows, channels: channels, tables: 2, to: norm.sums, add)
    }

    /// `gradient += added` over `count` consecutive elements.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func add<Element: StorageElement>(
        _ added: UnsafePointer<Element>, to gradient: UnsafeMutablePointer<Float>, count: Int
    ) {
        @inline(__always)
        func block(_ position: Int, _: Int, _ lanes: Int) {
            RowWalk.add(
                Element.stream(added + position, lanes: lanes), to: gradient + position,
                lanes: lanes)
        }
        RowWalk.blocks(rows: 1, channels: count, block)
    }
}
