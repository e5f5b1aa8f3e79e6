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
        sum(count: count, length: length, over: pool) { vectors + $0 * length }
    }

    /// The same for vectors that lie at `vector(0)`, `vector(1)`, ….
    @_specialize(where Number == Float)
    @_specialize(where Number == Double)
    public static func sum<Number: BinaryFloatingPoint>(
        count: Int, length: Int, over pool: ThreadPool,
        vector: (Int) -> UnsafeMutablePointer<Number>
    ) {
        guard count > 0 else {
            vector(0).update(repeating: 0, count: length)
            return
        }
        guard count > 1 else { return }
        // Small vectors are summed by the caller: waking a worker costs more.
        if length < 4096 {
            sum(count: count, within: 0..<length, vector: vector)
        } else {
            pool.runRanges(length) { sum(count: count, within: $0, vector: vector) }
        }
    }

    @_specialize(where Number == Float)
    @_specialize(where Number == Double)
    private static func sum<Number: BinaryFloatingPoint>(
        count: Int, within range: Range<Int>, vector: (Int) -> UnsafeMutablePointer<Number>
    ) {
        var distance = 1
        while distance < count {
            var left = 0
            while left + distance < count {
                add(vector(left + distance), to: vector(left), within: range)
                left += 2 * distance
            }
            distance *= 2
        }
    }

    @_specialize(where Number == Float)
    @_specialize(where Number == Double)
    private static func add<Number: BinaryFloatingPoint>(
        _ source: UnsafeMutablePointer<Number>, to target: UnsafeMutablePointer<Number>,
        within range: Range<Int>
    ) {
        for index in range { target[index] += source[index] }
    }

    /// The sum of a run of vectors that come one after the other, in few places: as soon as both
    /// vectors of a pair are there, they are added.
    ///
    /// - Parameters:
    ///   - count: Vectors in the run.
    ///   - place: Where the vectors may lie, `placeCount(of: count)` places; the sum is left in
    ///     the first.
    ///   - fill: Writes vector `index`.
    public static func sum(
        count: Int, length: Int, place: (Int) -> UnsafeMutablePointer<Float>,
        fill: (_ index: Int, UnsafeMutablePointer<Float>) -> Void
    ) {
        // The heights of the subtrees whose sums lie in the places.
        var heights: [Int] = []
        func addLast() {
            heights.removeLast()
            add(place(heights.count), to: place(heights.count - 1), within: 0..<length)
        }
        for index in 0..<count {
            fill(index, place(heights.count))
            var height = 0
            heights.append(height)
            while heights.count > 1 && heights[heights.count - 2] == height {
                addLast()
                height += 1
                heights[heights.count - 1] = height
            }
        }
        while heights.count > 1 { addLast() }
    }

    /// The places that the sum of a run of vectors needs.
    public static func placeCount(of count: Int) -> Int {
        var (places, covered) = (1, 1)
        while covered < count { (places, covered) = (places + 1, 2 * covered) }
        return places
    }
}
