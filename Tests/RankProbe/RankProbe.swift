import Collectives
import Foundation
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

    /// The first rank's sum fails while the other one has not sent yet: says whether what MPI may
    /// still write into is there, and how often MPI was called after that.
    static func fail(_ areCounts: Bool, on communicator: any Communicator) {
        func sum() throws(CollectiveError) {
            // Few enough to be sent unasked, too many for the C library to keep their memory as it is.
            if areCounts {
                _ = try communicator.sum([Int](repeating: 1, count: 400))
            } else {
                let vector = UnsafeMutableBufferPointer<Float>.allocate(capacity: 1000)
                vector.initialize(repeating: 1)
                try communicator.sum(vector)
            }
        }
        // The last one waits for the first until that is gone.
        guard communicator.rank == (areCounts ? communicator.size - 1 : 0) else {
            FailingMPI.take(for: 2)
            return
        }
        FailingMPI.isDue.store(true, ordering: .relaxed)
        var texts: [String] = []
        for _ in 0..<2 {
            do throws(CollectiveError) { try sum() } catch { texts.append(error.description) }
        }
        print("untouched \(FailingMPI.isUntouched)")
        print("calls \(FailingMPI.laterCalls.load(ordering: .relaxed))")
        for text in texts { print("error \(text)") }
        fflush(nil)
        _exit(3)
    }

    static func main() throws {
        let communicator = try MPICommunicator.launch()
        if let what = CommandLine.arguments.dropFirst().first {
            return fail(what == "counts", on: communicator)
        }
        let pool = ThreadPool(threadCount: 1)
        let lengths = [0, 1, 2, 3, 7, 1000, 4096, 4097, 100_003]
        let vectors = lengths.map { length in
            let vector = UnsafeMutableBufferPointer<Float>.allocate(capacity: length)
            for index in 0..<length { vector[index] = number(communicator.rank, index) }
            return vector
        }
        // All of them on the other thread, while this one sums each again.
        for vector in vectors { communicator.beginSum(vector) }
        var sums: [[Float]] = []
        for length in lengths {
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
            sums.append(own)
        }
        _ = try communicator.finishSums()
        // A process alone has begun nothing.
        let areSame = zip(vectors, sums).allSatisfy { Array($0) == $1 }
        print("\(communicator.rank) begun \(areSame ? "equal" : "unequal") 0")
        let counts = try communicator.sum([1, communicator.rank])
        print("\(communicator.rank) counts \(counts[0]) \(counts[1])")
        try communicator.finish()
    }
}
