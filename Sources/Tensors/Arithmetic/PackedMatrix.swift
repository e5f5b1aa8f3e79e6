/// Weights laid out once for the products of all chunks that a layer's pass makes with them.
///
/// Our own kernels and oneDNN read them in blocks and, for `BFloat16`, narrowed; OpenBLAS reads them
/// where they lie.
public struct PackedMatrix<Element: StorageElement>: @unchecked Sendable {
    private let source: Matrix
    private let isTransposed: Bool
    let inner: Int
    let columns: Int
    let storage: UnsafeMutableRawPointer

    /// Bytes that `[inner, columns]` takes packed, at most: blocks are rounded up.
    public static func byteCount(inner: Int, columns: Int) -> Int {
        if MatrixMultiply.library == .own {
            return OwnProducts.byteCount(inner: inner, columns: columns, of: Element.self)
        }
        return (inner + 63) / 64 * 64 * ((columns + 63) / 64 * 64) * MemoryLayout<Element>.stride
    }

    /// Lays out `source`, `[inner, columns]`, or its transpose where it is `[columns, inner]`.
    ///
    /// - Parameters:
    ///   - storage: `byteCount` bytes that stay untouched while this value is used.
    ///   - isFilled: Whether the storage holds the same weights, laid out before.
    ///   - pool: Threads that share the work, where they are free.
    public init(
        _ source: Matrix, transposed: Bool = false, inner: Int, columns: Int,
        into storage: UnsafeMutableRawPointer, isFilled: Bool = false, pool: ThreadPool? = nil
    ) {
        (self.source, isTransposed, self.storage) = (source, transposed, storage)
        (self.inner, self.columns) = (inner, columns)
        if MatrixMultiply.library == .own && !isFilled {
            OwnProducts.pack(
                source, transposed: transposed, inner: inner, columns: columns, as: Element.self,
                into: storage, pool: pool)
        }
        #if canImport(ConeDNN)
            if MatrixMultiply.library == .oneDNN && !isFilled {
                OneDNN.Thread.current.pack(
                    source, transposed: transposed, inner: inner, columns: columns,
                    isNarrow: Element.self == BFloat16.self, into: storage,
                    byteCount: Self.byteCount(inner: inner, columns: columns))
            }
        #endif
    }

    /// Bytes that a copy of `[inner, columns]` takes, at most.
    public static func copiedByteCount(inner: Int, columns: Int) -> Int {
        MatrixMultiply.copiesWeights
            ? byteCount(inner: inner, columns: columns)
            : inner * columns * MemoryLayout<Float>.stride
    }

    /// Lays out a copy of `source`, which need not stay: `[inner, columns]`, or its transpose
    /// where it is `[columns, inner]`.
    ///
    /// - Parameter storage: `copiedByteCount` bytes.
    public static func pack(
        _ source: Matrix, transposed: Bool = false, inner: Int, columns: Int,
        into storage: UnsafeMutableRawPointer
    ) {
        guard !MatrixMultiply.copiesWeights else {
            _ = PackedMatrix(
                source, transposed: transposed, inner: inner, columns: columns, into: storage)
            return
        }
        let copy = storage.assumingMemoryBound(to: Float.self)
        let (rowStride, columnStride) = transposed ? (1, source.stride) : (source.stride, 1)
        for row in 0..<inner {
            for column in 0..<columns {
                copy[row * columns + column] =
                    source.start[row * rowStride + column * columnStride]
            }
        }
    }

    /// The copy that `pack` has laid out in `storage`, `[inner, columns]`.
    public init(copied storage: UnsafeMutableRawPointer, inner: Int, columns: Int) {
        source = Matrix(storage.assumingMemoryBound(to: Float.self), stride: columns)
        (isTransposed, self.storage) = (false, storage)
        (self.inner, self.columns) = (inner, columns)
    }

    /// `result = left · self`, or `+=` where `adding`; left `[rows, inner]` and result
    /// `[rows, columns]`, both dense.
    public func product(
        _ left: UnsafeMutablePointer<Element>, into result: UnsafeMutablePointer<Float>,
        rows: Int, adding: Bool = false
    ) {
        if MatrixMultiply.library == .own {
            return OwnProducts.product(
                left, storage, into: result, rows: rows, columns: columns, inner: inner,
                adding: adding)
        }
        #if canImport(ConeDNN)
            if MatrixMultiply.library == .oneDNN {
                OneDNN.Thread.current.product(
                    OneDNN.Key(
                        form: .packed, rows: rows, columns: columns, inner: inner, adding: adding,
                        isNarrow: Element.self == BFloat16.self),
                    OneDNN.Operands(left: left, right: storage, result: result))
                return
            }
        #endif
        Widening.withFloats(left, count: rows * inner) { left in
            let (left, result) = (
                Matrix(left, stride: inner), Matrix(result, stride: columns)
            )
            if isTransposed {
                MatrixMultiply.product(
                    left, transposed: source, into: result, rows: rows, columns: columns,
                    inner: inner, adding: adding)
            } else {
                MatrixMultiply.product(
                    left, source, into: result, rows: rows, columns: columns, inner: inner,
                    adding: adding)
            }
        }
    }
}

extension MatrixMultiply {
    /// `result (+)= leftᵀ · right`: a chunk's part of the weights' gradient; left `[inner, rows]`,
    /// right `[inner, columns]`, result `[rows, columns]`, all dense.
    public static func product<Element: StorageElement>(
        transposed left: UnsafeMutablePointer<Element>, _ right: UnsafeMutablePointer<Element>,
        into result: UnsafeMutablePointer<Float>, rows: Int, columns: Int, inner: Int,
        adding: Bool
    ) {
        if library == .own {
            return OwnProducts.product(
                transposed: left, right, into: result, rows: rows, columns: columns, inner: inner,
                adding: adding)
        }
        #if canImport(ConeDNN)
            if library == .oneDNN {
                OneDNN.Thread.current.product(
                    OneDNN.Key(
                        form: .transposed, rows: rows, columns: columns, inner: inner,
                        adding: adding, isNarrow: Element.self == BFloat16.self),
                    OneDNN.Operands(left: left, right: right, result: result))
                return
            }
        #endif
        Widening.withFloats(left, count: rows * inner) { left in
            Widening.withFloats(right, count: columns * inner) { right in
                product(
                    transposed: Matrix(left, stride: rows), Matrix(right, stride: columns),
                    into: Matrix(result, stride: columns), rows: rows, columns: columns,
                    inner: inner, adding: adding)
            }
        }
    }
}

/// Operands for a library that knows `Float` only.
enum Widening {
    /// Calls `body` with the numbers themselves or, of a narrower kind, with a widened copy.
    static func withFloats<Element: StorageElement>(
        _ source: UnsafeMutablePointer<Element>, count: Int,
        _ body: (UnsafeMutablePointer<Float>) -> Void
    ) {
        if Element.self == Float.self {
            return body(UnsafeMutableRawPointer(source).assumingMemoryBound(to: Float.self))
        }
        let copy = UnsafeMutablePointer<Float>.allocate(capacity: count)
        defer { copy.deallocate() }
        for index in 0..<count { copy[index] = source[index].widened }
        body(copy)
    }
}
