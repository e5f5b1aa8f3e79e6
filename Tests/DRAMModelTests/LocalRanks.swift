import Foundation
import Layers
import Synchronization
import Tensors

/// Ranks of one process, each on a thread of its own, that wait for each other at every sum.
final class LocalRanks: @unchecked Sendable {
    private let condition = NSCondition()
    private let count: Int
    private var parts: [Int: [Double]] = [:]
    private var sums: [Double] = []
    private var generation = 0

    init(count: Int) { self.count = count }

    /// One rank's side; it also notes which gradients were called complete.
    final class Rank: SumReducer {
        private let ranks: LocalRanks
        private let number: Int
        private let ranges = Mutex<[Range<Int>]>([])

        init(_ ranks: LocalRanks, number: Int) { (self.ranks, self.number) = (ranks, number) }

        func sum(_ values: UnsafeMutableBufferPointer<Double>) {
            let sums = ranks.exchange(Array(values), rank: number)
            for index in values.indices { values[index] = sums[index] }
        }

        func complete(_ gradients: Range<Int>) { ranges.withLock { $0.append(gradients) } }

        /// The completed ranges in the order of memory.
        var completed: [Range<Int>] {
            ranges.withLock { $0.sorted { $0.lowerBound < $1.lowerBound } }
        }
    }

    private func exchange(_ values: [Double], rank: Int) -> [Double] {
        condition.lock()
        defer { condition.unlock() }
        parts[rank] = values
        let own = generation
        if parts.count == count {
            sums = Self.treeSum((0..<count).map { parts[$0] ?? [] })
            parts = [:]
            generation += 1
            condition.broadcast()
        }
        while generation == own { condition.wait() }
        return sums
    }

    /// The sum along the tree that goes on from the shards'.
    static func treeSum<Number: FloatingPoint>(_ vectors: [[Number]]) -> [Number] {
        var vectors = vectors
        while vectors.count > 1 {
            vectors = stride(from: 0, to: vectors.count, by: 2).map { first in
                first + 1 < vectors.count
                    ? zip(vectors[first], vectors[first + 1]).map { $0 + $1 } : vectors[first]
            }
        }
        return vectors[0]
    }

    /// Runs `body` on every rank at once and returns what each came to.
    func run<Result: Sendable>(
        _ body: @escaping @Sendable (_ rank: Int, Rank) throws -> Result
    ) throws -> [Result] {
        let results = Mutex<[Int: Swift.Result<Result, any Error>]>([:])
        let group = DispatchGroup()
        for rank in 0..<count {
            group.enter()
            Thread.detachNewThread { [self] in
                let result = Swift.Result { try body(rank, Rank(self, number: rank)) }
                results.withLock { $0[rank] = result }
                group.leave()
            }
        }
        group.wait()
        return try results.withLock { results in
            try (0..<count).compactMap { try results[$0]?.get() }
        }
    }
}
