import Collectives
import Families
import Images
import Models

/// Which images each step of a stage takes, and which of them are this rank's: a pure function of
/// the seed, the stage and the epoch's image, whatever the batches were before.
struct BatchSchedule: Sendable {
    let stage: Stage
    /// Images of an epoch.
    let imageCount: Int
    let settings: any StageSettings
    let seed: UInt64
    let rank: Int
    let rankCount: Int
    /// Where the first batch begins; steps before it are never asked for.
    var origin = StagePosition()

    /// Steps in which every image is taken once; the last may be a short one.
    var stepsPerEpoch: Int { (imageCount + settings.batchSize - 1) / settings.batchSize }

    /// Steps of the whole stage, were all batches of the present size.
    var plannedSteps: Int { Int((settings.epochs * Double(stepsPerEpoch)).rounded()) }

    /// Where the stage ends.
    private var end: (epoch: Int, offset: Int) {
        let (epochs, rest) = plannedSteps.quotientAndRemainder(dividingBy: stepsPerEpoch)
        return (epochs, rest * settings.batchSize)
    }

    /// The number of steps done when the stage is.
    var lastStep: Int {
        let (epoch, offset) = end
        func steps(_ images: Int) -> Int {
            (images + settings.batchSize - 1) / settings.batchSize
        }
        if (epoch, offset) <= (origin.epoch, origin.offset) { return origin.step }
        if epoch == origin.epoch { return origin.step + steps(offset - origin.offset) }
        return origin.step + steps(imageCount - origin.offset)
            + (epoch - origin.epoch - 1) * stepsPerEpoch + steps(offset)
    }

    /// How far the stage is before a step, counted from 0.
    func progress(before step: Int) -> StagePosition {
        let size = settings.batchSize
        let stepsOfFirst = (imageCount - origin.offset + size - 1) / size
        let done = step - origin.step
        var progress = origin
        progress.step = step
        if done < stepsOfFirst {
            progress.offset += done * size
        } else {
            progress.epoch += 1 + (done - stepsOfFirst) / stepsPerEpoch
            progress.offset = (done - stepsOfFirst) % stepsPerEpoch * size
        }
        // The stage's last batch ends where the stage does.
        if done > 0 && step == lastStep { (progress.epoch, progress.offset) = end }
        progress.samples +=
            (progress.epoch - origin.epoch) * imageCount + progress.offset - origin.offset
        return progress
    }

    /// The place of a step in the schedule, in steps of the present size from the stage's start.
    func position(before step: Int) -> Double {
        let progress = progress(before: step)
        return Double(progress.epoch * stepsPerEpoch)
            + Double(progress.offset) / Double(settings.batchSize)
    }

    /// The part of the stage's settings that a step belongs to.
    func part(before step: Int) -> Int {
        settings.part(step: Int(position(before: step)), of: plannedSteps)
    }

    /// Images of a step; the last of an epoch, and of a stage whose batch size has changed, may be
    /// a short one.
    private func size(_ progress: StagePosition) -> Int {
        let isLast = progress.epoch == end.epoch && progress.offset < end.offset
        return min(settings.batchSize, (isLast ? end.offset : imageCount) - progress.offset)
    }

    /// The division of a step's batch.
    func layout(step: Int) -> ShardLayout {
        layout(images: size(progress(before: step)))
    }

    private func layout(images: Int) -> ShardLayout {
        ShardLayout(
            imageCount: images, shardSize: settings.shardSize, rank: rank, rankCount: rankCount)
    }

    /// The most images and shards that this rank ever has at once.
    var capacity: (images: Int, shards: Int) {
        let size = settings.batchSize
        let rests = [
            imageCount, imageCount - origin.offset, end.offset, end.offset - origin.offset,
        ].map { $0 % size }.filter { $0 > 0 }
        let layouts = (rests + [min(size, imageCount)]).map { layout(images: $0) }
        return (
            layouts.map(\.images.count).max() ?? 0, layouts.map(\.shards.count).max() ?? 0
        )
    }

    /// This rank's images of a step.
    func request(step: Int) -> BatchRequest {
        let progress = progress(before: step)
        let stream = UInt64(stage.stream) << 32 | UInt64(progress.epoch)
        let order = EpochOrder(count: imageCount, seed: seed, stream: stream)
        return BatchRequest(
            entries: layout(images: size(progress)).images.map { order[progress.offset + $0] },
            augmentation: stream)
    }
}
