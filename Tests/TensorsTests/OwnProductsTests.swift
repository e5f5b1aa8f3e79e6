import CProducts
import Testing

@testable import Tensors

/// The program's own products against chains of fused multiplications and additions, bit for bit.
@Suite struct OwnProductsTests {
    /// Vectors of this processor, and shorter ones: both must come to the same bits.
    static let lanes = [Int32(8), OwnProducts.lanes]

    /// Rows, columns and inner dimensions: full blocks, parts of vectors, rows that are copied
    /// (4,096 bytes apart), inner dimensions that are cut up (4,096 forward, 384 transposed) and
    /// panels that several groups of rows read.
    static let sizes = [
        (1, 1, 1), (7, 5, 3), (6, 64, 64), (13, 100, 27), (29, 130, 257), (15, 48, 1024),
        (3, 17, 4099), (400, 33, 70), (300, 288, 20),
        (386, 257, 225),
    ]

    /// Asks for more than is remembered, of memory that is not there: products do not read it.
    private func fetchFromNowhere() {
        for page in 1...10 {
            guard let place = UnsafeRawPointer(bitPattern: page << 12) else { continue }
            OwnProducts.fetchAhead(place, byteCount: 1_000 * page)
        }
    }

    private func numbers(_ count: Int, _ stream: UInt64) -> [Float] {
        var random = CounterRandom(seed: 7, purpose: .scene, stream: stream)
        return (0..<count).map { _ in Float(Int(random.next() % 20_001) - 10_000) / 7_919 }
    }

    private func chain(
        _ count: Int, from start: Float, _ left: (Int) -> Float, _ right: (Int) -> Float
    ) -> Float {
        (0..<count).reduce(start) { $0.addingProduct(left($1), right($1)) }
    }

    private func packed(_ weights: [Float], inner: Int, columns: Int) -> [Float] {
        var storage = [Float](
            repeating: .nan, count: saccader_packed_count(inner, columns, false))
        saccader_pack(weights, columns, 1, inner, columns, &storage)
        return storage
    }

    @Test(arguments: sizes, lanes)
    func productsAreChains(size: (Int, Int, Int), lanes: Int32) {
        let (rows, columns, inner) = size
        var left = numbers(rows * inner, 1)
        let right = numbers(inner * columns, 2)
        var storage = packed(right, inner: inner, columns: columns)
        for start in [Float(0), 0.3] {
            // Where nothing is added, what was there before must not matter.
            var result = [Float](repeating: start == 0 ? .nan : start, count: rows * columns)
            fetchFromNowhere()
            OwnProducts.product(
                &left, &storage, into: &result, rows: rows, columns: columns, inner: inner,
                adding: start != 0, lanes: lanes)
            let expected = (0..<rows * columns).map { place in
                chain(
                    inner, from: start, { left[place / columns * inner + $0] },
                    { right[$0 * columns + place % columns] })
            }
            #expect(result == expected)
        }
    }

    @Test(arguments: sizes, lanes)
    func transposedProductsAreChains(size: (Int, Int, Int), lanes: Int32) {
        let (inner, columns, rows) = size
        var (left, right) = (numbers(rows * inner, 3), numbers(inner * columns, 4))
        for start in [Float(0), 0.3] {
            var result = [Float](repeating: start == 0 ? .nan : start, count: rows * columns)
            fetchFromNowhere()
            OwnProducts.product(
                transposed: &left, &right, into: &result, rows: rows, columns: columns,
                inner: inner, adding: start != 0, lanes: lanes)
            let expected = (0..<rows * columns).map { place in
                chain(
                    inner, from: start, { left[$0 * rows + place / columns] },
                    { right[$0 * columns + place % columns] })
            }
            #expect(result == expected)
        }
    }

    /// Finished products against plain ones, to which bias and a further value are added.
    private func checkFinish<Element: StorageElement & Equatable>(
        _ type: Element.Type, lanes: Int32, rectifies: Bool
    ) {
        let (rows, columns, inner) = (14, 75, 40)
        var left = numbers(rows * inner, 5).map { Element(narrowing: $0) }
        var weights = numbers(inner * columns, 6)
        var bias = numbers(columns, 7)
        var added = numbers(rows * columns, 8).map { Element(narrowing: $0) }
        var storage = [Float](
            repeating: .nan,
            count: OwnProducts.byteCount(inner: inner, columns: columns, of: type) / 4)
        weights.withUnsafeMutableBufferPointer { weights in
            guard let start = weights.baseAddress else { return }
            OwnProducts.pack(
                Matrix(start, stride: columns), transposed: false, inner: inner, columns: columns,
                as: type, into: &storage)
        }
        var plain = [Float](repeating: 0, count: rows * columns)
        OwnProducts.product(
            &left, &storage, into: &plain, rows: rows, columns: columns, inner: inner,
            adding: false, lanes: lanes)
        var result = [Element](repeating: Element(narrowing: .nan), count: rows * columns)
        let isDone = bias.withUnsafeMutableBufferPointer { bias in
            added.withUnsafeMutableBufferPointer { added in
                guard let bias = bias.baseAddress else { return false }
                return OwnProducts.product(
                    &left, &storage,
                    finish: .init(bias: bias, adding: added.baseAddress, rectify: rectifies),
                    into: &result, rows: rows, columns: columns, inner: inner, lanes: lanes)
            }
        }
        #expect(isDone)
        let expected = plain.indices.map { place in
            let sum = plain[place] + bias[place % columns] + added[place].widened
            return Element(narrowing: rectifies ? max(0, sum) : sum)
        }
        #expect(result == expected)
    }

    @Test(arguments: lanes, [false, true])
    func productsAreFinished(lanes: Int32, rectifies: Bool) {
        checkFinish(Float.self, lanes: lanes, rectifies: rectifies)
        if OwnProducts.hasPairs {
            checkFinish(BFloat16.self, lanes: lanes, rectifies: rectifies)
        }
    }

    /// Of bfloat16, where the processor multiplies it: two products are added at a time, so that
    /// only numbers whose sums are exact come to known bits; odd inner dimensions end with half a
    /// pair, beside which nothing may be read.
    @Test(.enabled(if: OwnProducts.hasPairs), arguments: sizes)
    func pairsAreMultiplied(size: (Int, Int, Int)) {
        let (rows, columns, inner) = size
        func whole(_ count: Int, _ stream: UInt64) -> [Float] {
            numbers(count, stream).map { ($0 * 3).rounded() }
        }
        let (left, right) = (whole(rows * inner, 9), whole(inner * columns, 10))
        var storage = [UInt32](
            repeating: .max, count: saccader_packed_count(inner, columns, true))
        saccader_pack_pairs(right, columns, 1, inner, columns, &storage)
        // Behind the matrix lies what no product may touch.
        var narrow = left.map { BFloat16(narrowing: $0) } + [BFloat16(narrowing: .nan)]
        var result = [Float](repeating: .nan, count: rows * columns)
        OwnProducts.product(
            &narrow, &storage, into: &result, rows: rows, columns: columns, inner: inner,
            adding: false)
        let expected = (0..<rows * columns).map { place in
            chain(
                inner, from: 0, { left[place / columns * inner + $0] },
                { right[$0 * columns + place % columns] })
        }
        #expect(result == expected)
    }
}
