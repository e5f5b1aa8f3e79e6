import CProducts

/// The products that this program forms itself (`CProducts`): with AVX-512, or AVX2.
///
/// In single precision their bits do not depend on the processor.
enum OwnProducts {
    /// Lanes of the vectors that are used.
    static let lanes = saccader_product_lanes()
    /// Whether pairs of `BFloat16` are multiplied in hardware; else they are widened.
    static let hasPairs = saccader_multiplies_pairs()

    /// The instruction set.
    static var description: String {
        "own kernels \(hasPairs ? "AVX512-BF16" : lanes == 16 ? "AVX-512" : "AVX2")"
    }

    private static func hasPairs<Element: StorageElement>(_ type: Element.Type) -> Bool {
        hasPairs && Element.self == BFloat16.self
    }

    /// Bytes that packed weights take.
    static func byteCount<Element: StorageElement>(
        inner: Int, columns: Int, of type: Element.Type
    ) -> Int {
        saccader_packed_count(inner, columns, hasPairs(type)) * MemoryLayout<Float>.stride
    }

    /// Lays out weights `[inner, columns]`, or their transpose where they are `[columns, inner]`.
    static func pack<Element: StorageElement>(
        _ source: Matrix, transposed: Bool, inner: Int, columns: Int, as type: Element.Type,
        into storage: UnsafeMutableRawPointer, pool: ThreadPool? = nil
    ) {
        let (rowStride, columnStride) = transposed ? (1, source.stride) : (source.stride, 1)
        func pack(_ columns: Range<Int>, into storage: UnsafeMutableRawPointer) {
            let start = source.start + columns.lowerBound * columnStride
            if hasPairs(type) {
                saccader_pack_pairs(
                    start, rowStride, columnStride, inner, columns.count,
                    storage.assumingMemoryBound(to: UInt32.self))
            } else {
                saccader_pack(
                    start, rowStride, columnStride, inner, columns.count,
                    storage.assumingMemoryBound(to: Float.self))
            }
        }
        // To wake the threads takes as long as to pack a few thousand numbers.
        guard let pool, inner * columns >= 1 << 16 else { return pack(0..<columns, into: storage) }
        let panels = (columns + panel - 1) / panel
        pool.runRanges(panels) { range in
            pack(
                (range.lowerBound * panel)..<min(columns, range.upperBound * panel),
                into: storage
                    + byteCount(inner: inner, columns: range.lowerBound * panel, of: type))
        }
    }

    /// Columns that lie together in packed weights.
    private static let panel = 64

    /// `result (+)= left · packed`: left `[rows, inner]`, result `[rows, columns]`.
    static func product<Element: StorageElement>(
        _ left: UnsafeMutablePointer<Element>, _ packed: UnsafeMutableRawPointer,
        into result: UnsafeMutablePointer<Float>, rows: Int, columns: Int, inner: Int, adding: Bool,
        lanes: Int32 = lanes
    ) {
        if hasPairs(Element.self) {
            saccader_product_pairs(
                raw(left), packed.assumingMemoryBound(to: UInt32.self), result, rows, columns,
                inner, adding, nil)
            return
        }
        Widening.withFloats(left, count: rows * inner) { left in
            saccader_product(
                left, packed.assumingMemoryBound(to: Float.self), result, rows, columns, inner,
                adding, nil, lanes)
        }
    }

    /// `result = relu?(left · packed + bias (+ added))`, where the kernels have it: else nothing is
    /// done, and false is returned.
    static func product<Element: StorageElement>(
        _ left: UnsafeMutablePointer<Element>, _ packed: UnsafeMutableRawPointer,
        finish: PackedMatrix<Element>.Finish, into result: UnsafeMutablePointer<Element>,
        rows: Int, columns: Int, inner: Int, lanes: Int32 = lanes
    ) -> Bool {
        guard inner <= saccader_finished_inner,
            Element.self == Float.self || hasPairs
        else { return false }
        var finish = saccader_finish(
            bias: finish.bias, added: finish.added, rectifies: finish.rectifies)
        if hasPairs(Element.self) {
            saccader_product_pairs(
                raw(left), packed.assumingMemoryBound(to: UInt32.self), result, rows, columns,
                inner, false, &finish)
        } else {
            saccader_product(
                UnsafeMutableRawPointer(left).assumingMemoryBound(to: Float.self),
                packed.assumingMemoryBound(to: Float.self),
                UnsafeMutableRawPointer(result).assumingMemoryBound(to: Float.self), rows, columns,
                inner, false, &finish, lanes)
        }
        return true
    }

    /// `result (+)= leftᵀ · right`: left `[inner, rows]`, right `[inner, columns]`.
    static func product<Element: StorageElement>(
        transposed left: UnsafeMutablePointer<Element>, _ right: UnsafeMutablePointer<Element>,
        into result: UnsafeMutablePointer<Float>, rows: Int, columns: Int, inner: Int, adding: Bool,
        lanes: Int32 = lanes
    ) {
        if hasPairs(Element.self) {
            saccader_transposed_product_pairs(
                raw(left), raw(right), result, rows, columns, inner, adding)
            return
        }
        Widening.withFloats(left, count: rows * inner) { left in
            Widening.withFloats(right, count: columns * inner) { right in
                saccader_transposed_product(
                    left, right, result, rows, columns, inner, adding, lanes)
            }
        }
    }

    /// Has the next products of this thread bring `byteCount` bytes into the cache while they
    /// multiply; the memory need not be readable.
    static func fetchAhead(_ start: UnsafeRawPointer, byteCount: Int) {
        saccader_fetch_ahead(start, byteCount)
    }

    private static func raw<Element: StorageElement>(
        _ values: UnsafeMutablePointer<Element>
    ) -> UnsafeMutablePointer<UInt16> {
        UnsafeMutableRawPointer(values).assumingMemoryBound(to: UInt16.self)
    }
}
