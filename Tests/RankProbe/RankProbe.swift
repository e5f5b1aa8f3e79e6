import Collectives
import Tensors

/// Started under mpirun by the tests: sums vectors of many lengths over the ranks and says whether
/// the result has exactly the bits of the sum along a binary tree.
@main
struct RankProbe {
    static func number(_ rank: Int, _ index: Int) -> Float {
        var random = CounterRandom(
            seed: 1, purpose: .augmentation, stream: UInt64(rank), index: UInt64(index))
        return Float(random.uniform() - 0.5) * (index % 3 == 0 ? 1e6 : 1)
    }

    static func main() throws {
        let communicator = try MPICommunicator.launch()
        let pool = ThreadPool(threadCount: 1)
        for length in [0, 1, 2, 3, 7, 1000, 4096, 4097, 100_003] {
            var own = (0..<length).map { number(communicator.rank, $0) }
            var table = (0..<communicator.size).flatMap { rank in
                (0..<length).map { number(rank, $0) }
            }
            try own.withUnsafeMutableBufferPointer { try communicator.sum($0) }
            table.withUnsafeMutableBufferPointer {
                guard let base = $0.baseAddress else { return }
                TreeSum.sum(base, count: communicator.size, length: length, over: pool)
            }
            // Rounding is measured by the size of what was added, not of what it cancelled to.
            let scales = (0..<length).map { index in
                (0..<communicator.size).reduce(Float(0)) { $0 + abs(number($1, index)) }
            }
            let largest = zip(zip(own, table), scales).map { abs($0.0 - $0.1) / $1 }.max() ?? 0
            let isEqual = Array(table.prefix(length)) == own
            print("\(communicator.rank) \(length) \(isEqual ? "equal" : "unequal") \(largest)")
        }
        let counts = try communicator.sum([1, communicator.rank])
        print("\(communicator.rank) counts \(counts[0]) \(counts[1])")
        try communicator.finish()
    }
}
