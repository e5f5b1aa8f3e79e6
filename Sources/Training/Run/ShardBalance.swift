import Collectives
import Families
import Models

/// How evenly the shards of a stage's batch go into the ranks.
///
/// Ranks own aligned runs of a binary tree's leaves, which is why the bits do not depend on their
/// number; a number of shards that is no power of two leaves some with less to do, or nothing.
struct ShardBalance {
    /// Images of each rank.
    private let images: [Int]
    private let stage: Stage

    init(_ stage: Stage, settings: any StageSettings, rankCount: Int) {
        self.stage = stage
        images = (0..<rankCount).map { rank in
            ShardLayout(
                imageCount: settings.batchSize, shardSize: settings.shardSize, rank: rank,
                rankCount: rankCount
            ).images.count
        }
    }

    /// What a step loses as the others wait for the rank with the most images, and how not to; nil
    /// where that is less than a tenth of it.
    var warning: String? {
        let (most, total) = (images.max() ?? 0, images.reduce(0, +))
        guard Double(total) < 0.9 * Double(most * images.count) else { return nil }
        let idle = images.filter { $0 == 0 }.count
        let rest = idle > 0 ? ", and \(idle) have nothing to do" : ""
        return "stage \(stage.name): of \(images.count) ranks one computes \(most) of \(total) "
            + "images of a step, for which the others wait\(rest); even are a batchSize of a power "
            + "of two times shardSize and no more ranks than shards"
    }
}
