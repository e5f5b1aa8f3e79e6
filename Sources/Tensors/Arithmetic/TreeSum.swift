/// Sums of equal vectors, one per shard, along a fixed binary tree.
///
/// The pairs are (0, 1), (2, 3), … then pairs of pairs, whatever the number of threads; a rank owns
/// an aligned run of shards, so the sum over ranks can go on along the same tree and the result's
/// bits do not depend on how many ranks there are.
public enum TreeSum {
    /// Replaces the first of `count` consecutive vectors of `length` by the sum of all.
    ///
    /// The others are overwritten. With `count` 0 the vector becomes zero.
    @_specialize(where Number == Float)
    @_specialize(where Number == Double)
    public static func sum<Number: BinaryFloatingPoint>(
        _ vectors: UnsafeMutablePointer<Number>, count: Int, length: Int, over pool: ThreadPool
    ) {
        guard count > 0 else {
            vectors.update(repeating: 0, count: length)
            return
        }
        guard count > 1 else { return }
        // Small vectors are summed by the caller: waking a worker costs more.
        if length < 4096 {
            sum(vectors, count: count, length: length, within: 0..<length)
        } else {
            pool.runRanges(length) { sum(vectors, count: count, length: length, within: $0) }
        }
    }

    @_specialize(where Number == Float)
    @_specialize(where Number == Double)
    private static func sum<Number: BinaryFloatingPoint>(
        _ vectors: UnsafeMutablePointer<Number>, count: Int, length: Int, within range: Range<Int>
    ) {
        var distance = 1
        while distance < count {
            var left = 0
            while left + distance < count {
                let target = vectors + left * length
                let source = vectors + (left + distance) * length
                for index in range { target[index] += source[index] }
                left += 2 * distance
            }
            distance *= 2
        }
    }
}
