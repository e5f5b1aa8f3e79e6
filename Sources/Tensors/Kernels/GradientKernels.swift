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
        func strip(_ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _ ahead: Int) {
            let p = Float.load(p + channel, lanes: lanes)
            let q = Float.load(q + channel, lanes: lanes)
            let r = Float.load(r + channel, lanes: lanes)
            var position = position
            var ahead = ahead
            for _ in 0..<rowCount {
                let value = r.addingProduct(
                    q, Element.stream(raw, position, lanes: lanes, ahead: ahead)
                )
                .addingProduct(p, Element.stream(gradient, position, lanes: lanes, ahead: ahead))
                Element.store(value, to: result + position, lanes: lanes)
                position += channels
                ahead += 16
            }
        }
        RowWalk.strips(rows: rows, channels: channels, count: Element.stripCount, strip)
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

        @inline(__always)
        fileprivate func sums(_ channel: Int, _ lanes: Int) -> LoadedSums {
            LoadedSums(center: Float.load(mean + channel, lanes: lanes), lanes: lanes)
        }
    }

    /// The sums of a strip, in registers.
    fileprivate struct LoadedSums {
        let center: SIMD16<Float>
        let lanes: Int
        var sum = SIMD16<Float>(repeating: 0)
        var products = SIMD16<Float>(repeating: 0)

        @inline(__always)
        mutating func add(_ gradient: SIMD16<Float>, raw: SIMD16<Float>) {
            sum += gradient
            products.addProduct(gradient, raw - center)
        }

        @inline(__always)
        func add(to part: UnsafeMutablePointer<Float>, channels: Int) {
            RowWalk.add(sum, to: part, lanes: lanes)
            RowWalk.add(products, to: part + channels, lanes: lanes)
        }
    }

    /// Takes a gradient through a ReLU into storage and adds the sums of the norm before it.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func finish<Element: StorageElement>(
        _ gradient: UnsafePointer<Float>, mask: Mask<Element>, norm: NormSums<Element>,
        rows: Int, channels: Int, into result: UnsafeMutablePointer<Element>
    ) {
        if let affine = mask.affine {
            Contract.require(mask.raw == norm.raw, "an affine mask is the norm's own ReLU")
            finish(gradient, affine: affine, norm, rows, channels, result)
        } else {
            finish(gradient, input: mask.raw, norm, rows, channels, result)
        }
    }

    /// The ReLU is the norm's own: its input is read once.
    @inline(__always)
    private static func finish<Element: StorageElement>(
        _ gradient: UnsafePointer<Float>, affine: RowKernels.Affine, _ norm: NormSums<Element>,
        _ rows: Int, _ channels: Int, _ result: UnsafeMutablePointer<Element>
    ) {
        let raw = norm.raw
        @inline(__always)
        func strip(
            _ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _ ahead: Int,
            _ part: UnsafeMutablePointer<Float>
        ) {
            let affine = affine.loaded(channel, lanes)
            var sums = norm.sums(channel, lanes)
            var position = position
            var ahead = ahead
            for _ in 0..<rowCount {
                let input = Element.stream(raw, position, lanes: lanes, ahead: ahead)
                let value = Float.load(gradient + position, lanes: lanes)
                    .kept(wherePositive: affine(input))
                Element.streamStore(value, to: result, position, lanes: lanes, ahead: ahead)
                sums.add(value, raw: input)
                position += channels
                ahead += 16
            }
            sums.add(to: part + channel, channels: channels)
        }
        RowWalk.sums(
            rows: rows, channels: channels, count: Element.stripCount, tables: 2, to: norm.sums,
            strip)
    }

    @inline(__always)
    private static func finish<Element: StorageElement>(
        _ gradient: UnsafePointer<Float>, input: UnsafePointer<Element>, _ norm: NormSums<Element>,
        _ rows: Int, _ channels: Int, _ result: UnsafeMutablePointer<Element>
    ) {
        let raw = norm.raw
        @inline(__always)
        func strip(
            _ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _ ahead: Int,
            _ part: UnsafeMutablePointer<Float>
        ) {
            var sums = norm.sums(channel, lanes)
            var position = position
            var ahead = ahead
            for _ in 0..<rowCount {
                let value = Float.load(gradient + position, lanes: lanes)
                    .kept(
                        wherePositive: Element.stream(input, position, lanes: lanes, ahead: ahead))
                Element.streamStore(value, to: result, position, lanes: lanes, ahead: ahead)
                sums.add(value, raw: Element.stream(raw, position, lanes: lanes, ahead: ahead))
                position += channels
                ahead += 16
            }
            sums.add(to: part + channel, channels: channels)
        }
        RowWalk.sums(
            rows: rows, channels: channels, count: Element.stripCount, tables: 2, to: norm.sums,
            strip)
    }

    /// Takes a gradient through a ReLU into storage.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func finish<Element: StorageElement>(
        _ gradient: UnsafePointer<Float>, mask: Mask<Element>, rows: Int, channels: Int,
        into result: UnsafeMutablePointer<Element>
    ) {
        @inline(__always)
        func strip(_ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _ ahead: Int) {
            let affine = mask.affine.map { $0.loaded(channel, lanes) }
            var position = position
            var ahead = ahead
            for _ in 0..<rowCount {
                let raw = Element.stream(mask.raw, position, lanes: lanes, ahead: ahead)
                let value = Float.load(gradient + position, lanes: lanes)
                    .kept(wherePositive: affine.map { $0(raw) } ?? raw)
                Element.streamStore(value, to: result, position, lanes: lanes, ahead: ahead)
                position += channels
                ahead += 16
            }
        }
        RowWalk.strips(rows: rows, channels: channels, count: Element.stripCount, strip)
    }

    /// Adds the sums that a norm needs of a stored gradient.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func addNormSums<Element: StorageElement>(
        _ gradient: UnsafePointer<Element>, norm: NormSums<Element>, rows: Int, channels: Int
    ) {
        @inline(__always)
        func strip(
            _ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _ ahead: Int,
            _ part: UnsafeMutablePointer<Float>
        ) {
            var sums = norm.sums(channel, lanes)
            var position = position
            var ahead = ahead
            for _ in 0..<rowCount {
                sums.add(
                    Element.stream(gradient, position, lanes: lanes, ahead: ahead),
                    raw: Element.stream(norm.raw, position, lanes: lanes, ahead: ahead))
                position += channels
                ahead += 16
            }
            sums.add(to: part + channel, channels: channels)
        }
        RowWalk.sums(
            rows: rows, channels: channels, count: Element.stripCount, tables: 2, to: norm.sums,
            strip)
    }

    /// `gradient += added` over `count` consecutive elements.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func add<Element: StorageElement>(
        _ added: UnsafePointer<Element>, to gradient: UnsafeMutablePointer<Float>, count: Int
    ) {
        @inline(__always)
        func block(_ position: Int, _ lanes: Int) {
            let ahead = position + 1024
            RowWalk.add(
                Element.stream(added, position, lanes: lanes, ahead: ahead),
                to: gradient + position,
                lanes: lanes)
        }
        RowWalk.blocks(count: count, block)
    }
}
