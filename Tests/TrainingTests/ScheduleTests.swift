import Collectives
import Models
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
        var settings = SaccaderStageSettings(.joint)
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

/// Stopped anywhere and gone on with any other number of ranks: the images of an epoch come in the
/// order of an uninterrupted run of one rank, none twice, and the last batch is what is left.
@Test(arguments: [(50, 12), (49, 12), (48, 12), (7, 12), (97, 10), (1, 1), (1281, 256)])
func resumingGoesOnWithExactlyTheNextImage(imageCount: Int, batchSize: Int) {
    for (before, after) in [(1, 1), (1, 4), (3, 2), (4, 1), (2, 7)] {
        var settings = SaccaderStageSettings(.representation)
        (settings.batchSize, settings.shardSize) = (batchSize, 3)
        func batch(_ step: Int, ranks: Int) -> [Int] {
            (0..<ranks).flatMap { rank in
                BatchSchedule(
                    stage: .representation, imageCount: imageCount, settings: settings, seed: 11,
                    rank: rank, rankCount: ranks
                ).request(step: step).entries
            }
        }
        let steps = (imageCount + batchSize - 1) / batchSize
        for epoch in [0, 3] {
            let own = (epoch * steps)..<((epoch + 1) * steps)
            let whole = own.flatMap { batch($0, ranks: 1) }
            #expect(whole.sorted() == Array(0..<imageCount))
            for stop in Set([own.lowerBound + 1, own.lowerBound + steps / 2, own.upperBound - 1]) {
                let seen = own.flatMap { batch($0, ranks: $0 < stop ? before : after) }
                #expect(seen == whole)
            }
            let last = batch(own.upperBound - 1, ranks: after)
            #expect(last.count == imageCount - (steps - 1) * batchSize)
        }
    }
}

/// From wherever a stage is, and whatever the batches were before: the rest of its epochs' images,
/// each once, and the schedule ends where it should.
@Test(arguments: [1, 5, 12, 24, 64], [0, 7, 12, 49])
func aStageEndsWithItsEpochsWhereverItGoesOn(batchSize: Int, offset: Int) {
    var settings = SaccaderStageSettings(.joint)
    (settings.batchSize, settings.shardSize, settings.epochs) = (batchSize, 4, 4)
    let origin = StagePosition(step: 9, epoch: 2, offset: offset, samples: 100 + offset)
    let schedules = (0..<3).map {
        BatchSchedule(
            stage: .joint, imageCount: 50, settings: settings, seed: 5, rank: $0, rankCount: 3,
            origin: origin)
    }
    let schedule = schedules[0]
    var (seen, position) = ([Int](), schedule.position(before: 9))
    #expect(schedule.progress(before: 9) == origin)
    for step in 9..<schedule.lastStep {
        // What a run says that goes on from here.
        let resumed = BatchSchedule(
            stage: .joint, imageCount: 50, settings: settings, seed: 5, rank: 0, rankCount: 3,
            origin: schedule.progress(before: step))
        #expect(resumed.lastStep == schedule.lastStep)
        #expect(resumed.request(step: step).entries == schedule.request(step: step).entries)
        for own in schedules {
            #expect(own.layout(step: step).images.count <= own.capacity.images)
            #expect(own.layout(step: step).shards.count <= own.capacity.shards)
            seen += own.request(step: step).entries
        }
        #expect(schedule.position(before: step + 1) > position)
        position = schedule.position(before: step + 1)
    }
    #expect(seen.count == 100 - offset)
    #expect(seen.suffix(50).sorted() == Array(0..<50))
    let end = schedule.progress(before: schedule.lastStep)
    #expect(end.epoch == 4 && end.offset == 0 && end.samples == 200)
    #expect(position == Double(schedule.plannedSteps))
}

@Test func aPartOfAnEpochEndsAtTheSameImage() {
    var settings = SaccaderStageSettings(.joint)
    (settings.batchSize, settings.epochs) = (10, 1.5)
    func schedule(_ origin: StagePosition) -> BatchSchedule {
        BatchSchedule(
            stage: .joint, imageCount: 40, settings: settings, seed: 5, rank: 0, rankCount: 1,
            origin: origin)
    }
    #expect(schedule(StagePosition()).lastStep == 6)
    let odd = schedule(StagePosition(step: 3, epoch: 1, offset: 5, samples: 45))
    #expect(odd.lastStep == 5 && odd.progress(before: 5).samples == 60)
    #expect((3..<5).map { odd.layout(step: $0).imageCount } == [10, 5])
    let late = schedule(StagePosition(step: 30, epoch: 1, offset: 25, samples: 65))
    #expect(late.lastStep == 30 && late.progress(before: 30).samples == 65)
}
