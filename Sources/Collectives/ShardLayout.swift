/// How a global batch is divided into shards and the shards among ranks.
///
/// A shard is a fixed run of consecutive images; every sum over the batch is formed within shards,
/// then along a binary tree over them. With a power of two of ranks, each owns an aligned run of
/// the tree's leaves, so the sum over ranks goes on along the same tree.
public struct ShardLayout: Equatable, Sendable {
    /// Images of the global batch.
    public let imageCount: Int
    /// Images of a full shard; the batch's last one may be shorter.
    public let shardSize: Int
    /// The shards that the rank owns.
    public let shards: Range<Int>

    /// Divides `imageCount` images among `rankCount` ranks.
    public init(imageCount: Int, shardSize: Int, rank: Int, rankCount: Int) {
        precondition(shardSize >= 1 && rank >= 0 && rank < rankCount, "rank \(rank)")
        self.imageCount = imageCount
        self.shardSize = shardSize
        let count = (imageCount + shardSize - 1) / shardSize
        if rankCount & (rankCount - 1) == 0 {
            var width = rankCount
            while width < count { width *= 2 }
            let run = width / rankCount
            shards = min(count, rank * run)..<min(count, (rank + 1) * run)
        } else {
            shards = (count * rank / rankCount)..<(count * (rank + 1) / rankCount)
        }
    }

    /// The rank's images, as places in the global batch.
    public var images: Range<Int> {
        let first = min(imageCount, shards.lowerBound * shardSize)
        return first..<max(first, min(imageCount, shards.upperBound * shardSize))
    }

    /// The rank's images of each of its shards, counted from 0.
    public var localShards: [Range<Int>] {
        shards.map { shard in
            let first = shard * shardSize - images.lowerBound
            return first..<min(images.count, first + shardSize)
        }
    }
}
