extension MPIChannel {
    /// The largest power of two that is not above the number of ranks.
    private var treeWidth: Int {
        var width = 1
        while width * 2 <= size { width *= 2 }
        return width
    }

    /// Sums piece by piece; each number's tree is the same however the vector is cut.
    func treeSum<Number: BinaryFloatingPoint & BitwiseCopyable>(
        _ values: UnsafeMutableBufferPointer<Number>
    ) throws(CollectiveError) {
        guard size > 1, let base = values.baseAddress, values.count > 0 else { return }
        let step = min(values.count, SumSize.pieceByteCount / MemoryLayout<Number>.stride)
        let scratch = UnsafeMutablePointer<Number>.allocate(capacity: step)
        var first = 0
        while first < values.count {
            try treeSum(base + first, min(step, values.count - first), scratch)
            first += step
        }
        // After an error MPI may still write into it: it is kept, and the process ends.
        scratch.deallocate()
    }

    /// Ranks beyond the tree's width first give their values to rank − width and get the sum at
    /// the end; the others add up along the tree.
    private func treeSum<Number: BinaryFloatingPoint & BitwiseCopyable>(
        _ base: UnsafeMutablePointer<Number>, _ count: Int, _ scratch: UnsafeMutablePointer<Number>
    ) throws(CollectiveError) {
        let width = treeWidth
        if rank >= width {
            try exchange(base, count, scratch, 0, with: rank - width)
            try exchange(base, 0, base, count, with: rank - width)
            return
        }
        let hasGuest = rank + width < size
        if hasGuest {
            try exchange(base, 0, scratch, count, with: rank + width)
            for index in 0..<count { base[index] += scratch[index] }
        }
        if count * MemoryLayout<Number>.stride <= SumSize.smallByteCount {
            try doubling(base, count, width, scratch)
        } else {
            try halving(base, 0..<count, 1, width, scratch)
        }
        if hasGuest { try exchange(base, count, base, 0, with: rank + width) }
    }

    /// Recursive doubling: at each level both partners send all they have and add.
    private func doubling<Number: BinaryFloatingPoint & BitwiseCopyable>(
        _ base: UnsafeMutablePointer<Number>, _ count: Int, _ width: Int,
        _ scratch: UnsafeMutablePointer<Number>
    ) throws(CollectiveError) {
        var distance = 1
        while distance < width {
            try exchange(base, count, scratch, count, with: rank ^ distance)
            for index in 0..<count { base[index] += scratch[index] }
            distance *= 2
        }
    }

    /// Recursive halving, nearest partner first: each partner adds one half of what both have,
    /// goes on with it, and gets the other half's sum on the way back.
    ///
    /// Every element is added along the same tree as in doubling, but only 2·count numbers travel.
    private func halving<Number: BinaryFloatingPoint & BitwiseCopyable>(
        _ base: UnsafeMutablePointer<Number>, _ range: Range<Int>, _ distance: Int, _ width: Int,
        _ scratch: UnsafeMutablePointer<Number>
    ) throws(CollectiveError) {
        guard distance < width else { return }
        let partner = rank ^ distance
        let middle = range.lowerBound + range.count / 2
        let lower = range.lowerBound..<middle
        let upper = middle..<range.upperBound
        let (mine, theirs) = rank < partner ? (lower, upper) : (upper, lower)
        try exchange(
            base + theirs.lowerBound, theirs.count, scratch, mine.count, with: partner)
        let target = base + mine.lowerBound
        for index in 0..<mine.count { target[index] += scratch[index] }
        try halving(base, mine, distance * 2, width, scratch)
        try exchange(
            base + mine.lowerBound, mine.count, base + theirs.lowerBound, theirs.count,
            with: partner)
    }
}
