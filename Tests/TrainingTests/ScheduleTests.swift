import Collectives
import SaccaderModel
import Testing

@testable import Training

@Test func learningRateRisesLinearlyAndFallsAsACosine() {
    let schedule = LearningRateSchedule(peak: 0.4, warmupSteps: 4, totalSteps: 14)
    #expect(abs(schedule.rate(step: 0) - 0.1) < 1e-12)
    #expect(abs(schedule.rate(step: 3) - 0.4) < 1e-12)
    #expect(abs(schedule.rate(step: 4) - 0.4) < 1e-12)
    #expect(abs(schedule.rate(step: 9) - 0.2) < 1e-12)
    #expect(schedule.rate(step: 13) > 0 && schedule.rate(step: 13) < 0.02)
}

/// Any ranks × batch × shard: each image of an epoch exactly once, in the same order.
@Test(arguments: [1, 2, 3, 4, 7, 8], [1, 5, 12, 64])
func ranksTogetherTakeEachImageOnce(ranks: Int, batchSize: Int) {
    for shardSize in [1, 4, 8] {
        var settings = StageConfiguration(.joint)
        (settings.batchSize, settings.shardSize) = (batchSize, shardSize)
        func schedule(_ rank: Int, of count: Int) -> BatchSchedule {
            BatchSchedule(
                stage: .joint, imageCount: 50, settings: settings, seed: 5, rank: rank,
                rankCount: count)
        }
        let alone = schedule(0, of: 1)
        for epoch in 0..<2 {
            var seen: [Int] = []
            for step in (epoch * alone.stepsPerEpoch)..<((epoch + 1) * alone.stepsPerEpoch) {
                let whole = alone.request(step: step).entries
                let parts = (0..<ranks).flatMap {
                    schedule($0, of: ranks).request(step: step).entries
                }
                #expect(parts == whole)
                for rank in 0..<ranks {
                    let own = schedule(rank, of: ranks)
                    #expect(own.layout(step: step).images.count <= own.capacity.images)
                    #expect(own.layout(step: step).shards.count <= own.capacity.shards)
                }
                seen += whole
            }
            #expect(seen.sorted() == Array(0..<50))
        }
        let first = alone.request(step: 0).entries
        let second = alone.request(step: alone.stepsPerEpoch).entries
        #expect(batchSize < 5 || first != second)
    }
}
