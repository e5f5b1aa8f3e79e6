extension Tensor {
    /// Has the next products of this thread bring as many rows into the cache as `rows` are, those
    /// that follow them: what the next chunk reads or writes comes from memory meanwhile.
    public func fetchAhead(after rows: Range<Int>) {
        guard MatrixMultiply.library == .own else { return }
        let count = min(rows.count, shape.images * shape.locations - rows.upperBound)
        guard count > 0 else { return }
        OwnProducts.fetchAhead(
            row(rows.upperBound),
            byteCount: count * shape.channels * MemoryLayout<Element>.stride)
    }
}
