import Models
import SaccaderModel
import Testing

@testable import Training

/// Warnings of batches that do not go evenly into the ranks.
@Suite struct ShardBalanceTests {
    private func warning(batch: Int, shard: Int, ranks: Int) throws -> String? {
        let run = try RunConfiguration.read(
            .demonstration,
            overrides: [
                "stages.joint.batchSize=\(batch)", "stages.joint.shardSize=\(shard)",
            ])
        return ShardBalance(.joint, settings: run.stages[.joint], rankCount: ranks).warning
    }

    @Test func evenBatchesSayNothing() throws {
        for ranks in [1, 2, 4, 8] {
            #expect(try warning(batch: 64, shard: 8, ranks: ranks) == nil)
        }
        // Where ranks are no power of two shards go round in turn: 22, 21 and 21 images.
        #expect(try warning(batch: 64, shard: 1, ranks: 3) == nil)
    }

    @Test func anUnevenBatchNamesTheFullestRank() throws {
        // Twelve shards are the left part of a tree of sixteen leaves: eight and four.
        let found = try #require(try warning(batch: 96, shard: 8, ranks: 2))
        #expect(found.contains("stage joint: of 2 ranks one computes 64 of 96 images"))
        #expect(!found.contains("nothing to do"))
    }

    @Test func ranksWithoutAShardAreCounted() throws {
        let found = try #require(try warning(batch: 16, shard: 8, ranks: 4))
        #expect(found.contains("8 of 16 images") && found.contains("2 have nothing to do"))
    }
}
