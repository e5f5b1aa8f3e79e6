/// Products of a model that is not trained: what follows a product is done where it is written.
extension PackedMatrix {
    /// What is done to a product before it is written: `relu?(product + bias (+ added))`.
    public struct Finish {
        let bias: UnsafeMutablePointer<Float>
        let added: UnsafeMutablePointer<Element>?
        let rectifies: Bool

        /// Names the operands: `bias` `[columns]`, `added` like the result, dense.
        public init(
            bias: UnsafeMutablePointer<Float>, adding added: UnsafeMutablePointer<Element>?,
            rectify: Bool
        ) {
            (self.bias, self.added, rectifies) = (bias, added, rectify)
        }
    }

    /// Lays out a copy of `source`, `[inner, columns]`, each column times its factor.
    ///
    /// - Parameter storage: `copiedByteCount` bytes.
    public static func pack(
        _ source: UnsafePointer<Float>, scaledBy factors: UnsafePointer<Float>, inner: Int,
        columns: Int, into storage: UnsafeMutableRawPointer
    ) {
        let scaled = UnsafeMutablePointer<Float>.allocate(capacity: inner * columns)
        defer { scaled.deallocate() }
        for row in 0..<inner {
            let first = row * columns
            for column in 0..<columns {
                scaled[first + column] = source[first + column] * factors[column]
            }
        }
        pack(Matrix(scaled, stride: columns), inner: inner, columns: columns, into: storage)
    }

    /// `result = relu?(left · self + bias (+ added))`; left `[rows, inner]` and result
    /// `[rows, columns]`, both dense.
    ///
    /// - Parameter scratch: `rows · columns` floats.
    public func product(
        _ left: UnsafeMutablePointer<Element>, finish: Finish,
        into result: UnsafeMutablePointer<Element>, rows: Int,
        scratch: UnsafeMutablePointer<Float>
    ) {
        if MatrixMultiply.library == .own
            && OwnProducts.product(
                left, storage, finish: finish, into: result, rows: rows, columns: columns,
                inner: inner)
        {
            return
        }
        #if canImport(ConeDNN)
            if MatrixMultiply.library == .oneDNN {
                OneDNN.Thread.current.product(
                    OneDNN.Key(
                        form: .packed, rows: rows, columns: columns, inner: inner, adding: false,
                        isNarrow: Element.self == BFloat16.self,
                        finish: OneDNN.Finish(
                            adds: finish.added != nil, rectifies: finish.rectifies)),
                    OneDNN.Operands(
                        left: left, right: UnsafeMutableRawPointer(storage), result: result,
                        bias: finish.bias, added: finish.added))
                return
            }
        #endif
        product(left, into: scratch, rows: rows)
        RowKernels.finish(
            scratch, bias: finish.bias, adding: finish.added, rectify: finish.rectifies,
            rows: rows, channels: columns, into: result)
    }
}
