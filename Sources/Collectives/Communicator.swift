/// What can go wrong between ranks.
public struct CollectiveError: Error, CustomStringConvertible {
    /// One line: what was done, and what the library says of it.
    public let description: String
    /// The rank that was not reached, where it is one.
    public let partner: Int?

    /// - Parameters:
    ///   - description: One line.
    ///   - partner: The rank that was not reached, where it is one.
    public init(description: String, partner: Int? = nil) {
        (self.description, self.partner) = (description, partner)
    }
}

/// The ranks of a run. Sums leave the same bits on every rank.
///
/// Sums of fractions follow one binary tree over the ranks, ((r₀ + r₁) + (r₂ + r₃)) + …, whatever
/// the transport does: with a power of two of ranks that own aligned runs of shards, the result is
/// the tree over the shards, and its bits do not depend on the number of ranks.
public protocol Communicator: Sendable {
    /// This process's number, from 0.
    var rank: Int { get }
    /// How many processes there are.
    var size: Int { get }
    /// Signs of life between the ranks; nil where there is one rank.
    var heartbeat: Heartbeat? { get }
    /// Replaces each number by its sum over the ranks.
    func sum(_ values: UnsafeMutableBufferPointer<Float>) throws(CollectiveError)
    /// Replaces each number by its sum over the ranks.
    func sum(_ values: UnsafeMutableBufferPointer<Double>) throws(CollectiveError)
    /// Begins to replace each number by its sum over the ranks, and returns at once.
    ///
    /// A thread of its own forms these sums, one after the other; all ranks begin the same ones in
    /// the same order, and may use other sums meanwhile. Nobody touches the numbers before
    /// `finishSums` has returned.
    func beginSum(_ values: UnsafeMutableBufferPointer<Float>)
    /// Waits until all sums that were begun are there.
    ///
    /// - Returns: The seconds that the thread was at work on them.
    func finishSums() throws(CollectiveError) -> Double
    /// Waits until every rank has come here.
    func barrier() throws(CollectiveError)
    /// Ends all ranks at once with an exit code; the others get no chance to clean up.
    func abort(exitCode: Int32) -> Never
    /// Leaves the run in order, together with the others.
    func finish() throws(CollectiveError)
}

extension Communicator {
    /// The exact sum of counts over the ranks; counts stay below 2⁵³.
    public func sum(_ counts: [Int]) throws(CollectiveError) -> [Int] {
        try sum(counts.map { Double($0) }).map { Int($0) }
    }

    /// What each rank has, in the order of the ranks, on every rank; all have equally many numbers.
    public func gather(_ values: [Double]) throws(CollectiveError) -> [[Double]] {
        var all = [Double](repeating: 0, count: size * values.count)
        all.replaceSubrange((rank * values.count)..<((rank + 1) * values.count), with: values)
        all = try sum(all)
        return (0..<size).map { Array(all[($0 * values.count)..<(($0 + 1) * values.count)]) }
    }

    private func sum(_ values: [Double]) throws(CollectiveError) -> [Double] {
        let numbers = UnsafeMutableBufferPointer<Double>.allocate(capacity: values.count)
        _ = numbers.initialize(from: values)
        // After an error MPI may still write into it: it is kept, and the process ends.
        try sum(numbers)
        defer { numbers.deallocate() }
        return Array(numbers)
    }
}

/// How long vectors are summed.
public enum SumSize {
    /// Bytes up to which one message per level of the tree is faster than halves.
    public static let smallByteCount = 16_384
    /// Bytes that are summed at a time: what arrives then lies in memory that is used again, not in
    /// fresh pages, and partly still in cache.
    public static let pieceByteCount = 1 << 22
}
