/// How several processes share the images of an evaluation: each counts its own, and the counts,
/// being integers, are added exactly.
public struct RankShare: Sendable {
    /// This process's number, from 0.
    public let rank: Int
    /// How many there are.
    public let count: Int
    /// Replaces counts by their sums over all processes.
    let sum: @Sendable ([Int]) throws -> [Int]

    /// A share of an evaluation on several ranks.
    public init(rank: Int, count: Int, sum: @escaping @Sendable ([Int]) throws -> [Int]) {
        (self.rank, self.count, self.sum) = (rank, count, sum)
    }

    /// A single process.
    public static let alone = RankShare(rank: 0, count: 1) { $0 }

    /// The images of a set of `imageCount` that this process looks at: whole shards.
    func part(_ imageCount: Int) -> Range<Int> {
        Evaluator.part(imageCount, rank: rank, of: count)
    }
}
