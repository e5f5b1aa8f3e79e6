import Testing

@testable import Tensors

/// Products with packed weights, and those of weight gradients, against loops.
@Suite struct PackedMatrixTests {
    /// Small whole numbers: their products are exact in either element.
    private func numbers(_ count: Int, _ stream: UInt64) -> [Float] {
        var random = CounterRandom(seed: 5, purpose: .scene, stream: stream)
        return (0..<count).map { _ in Float(Int(random.next() % 7)) - 3 }
    }

    private func loop(
        _ left: (Int, Int) -> Float, _ right: (Int, Int) -> Float, rows: Int, columns: Int,
        inner: Int, start: Float
    ) -> [Float] {
        (0..<rows * columns).map { place in
            (0..<inner).reduce(start) {
                $0 + left(place / columns, $1) * right($1, place % columns)
            }
        }
    }

    private func check<Element: StorageElement>(
        _ type: Element.Type, rows: Int, columns: Int, inner: Int
    ) {
        let (left, right) = (numbers(rows * inner, 1), numbers(inner * columns, 2))
        var narrow = left.map { Element(narrowing: $0) }
        var weights = right
        let storage = UnsafeMutableRawPointer.allocate(
            byteCount: PackedMatrix<Element>.byteCount(inner: inner, columns: columns)
                + PackedMatrix<Element>.byteCount(inner: columns, columns: inner),
            alignment: 64)
        defer { storage.deallocate() }
        let forward = loop(
            { left[$0 * inner + $1] }, { right[$0 * columns + $1] }, rows: rows,
            columns: columns, inner: inner, start: 0)
        for isTransposed in [false, true] {
            var source = weights
            if isTransposed {
                for i in 0..<inner {
                    for j in 0..<columns { source[j * inner + i] = weights[i * columns + j] }
                }
            }
            source.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                let packed = PackedMatrix<Element>(
                    Matrix(base, stride: isTransposed ? inner : columns),
                    transposed: isTransposed, inner: inner, columns: columns, into: storage)
                var result = [Float](repeating: 7, count: rows * columns)
                packed.product(&narrow, into: &result, rows: rows)
                #expect(result == forward, "\(type), transposed: \(isTransposed)")
                packed.product(&narrow, into: &result, rows: rows, adding: true)
                #expect(result == forward.map { 2 * $0 })
            }
        }
        // leftᵀ·right with `rows` as the length that is summed over.
        let upstream = numbers(rows * columns, 3)
        var narrowUpstream = upstream.map { Element(narrowing: $0) }
        let gradient = loop(
            { left[$1 * inner + $0] }, { upstream[$0 * columns + $1] }, rows: inner,
            columns: columns, inner: rows, start: 0)
        var result = [Float](repeating: 7, count: inner * columns)
        MatrixMultiply.product(
            transposed: &narrow, &narrowUpstream, into: &result, rows: inner, columns: columns,
            inner: rows, adding: false)
        #expect(result == gradient)
        MatrixMultiply.product(
            transposed: &narrow, &narrowUpstream, into: &result, rows: inner, columns: columns,
            inner: rows, adding: true)
        #expect(result == gradient.map { 2 * $0 })
        weights = []
    }

    @Test(arguments: [(1, 1, 1), (7, 5, 3), (256, 64, 27), (105, 10, 64), (19, 130, 65)])
    func productsAreThoseOfLoops(rows: Int, columns: Int, inner: Int) {
        check(Float.self, rows: rows, columns: columns, inner: inner)
        check(BFloat16.self, rows: rows, columns: columns, inner: inner)
    }

    @Test func everyThreadMultiplies() {
        let pool = ThreadPool(threadCount: 3)
        for _ in 0..<3 {
            pool.run(6) { _, _ in check(BFloat16.self, rows: 33, columns: 17, inner: 20) }
        }
    }
}
