import Collectives
import Families
import Images
import Models

/// Which images each step of a stage takes, and which of them are this rank's: a pure function of
/// the seed, the stage and the step.
struct BatchSchedule: Sendable {
    let stage: Stage
    /// Images of an epoch.
    let imageCount: Int
    let settings: any StageSettings
    let seed: UInt64
    let rank: Int
    let rankCount: Int

    /// Steps in which every image is taken once; the last may be a short one.
    var stepsPerEpoch: Int { (imageCount + settings.batchSize - 1) / settings.batchSize }

    /// The division of a step's batch.
    func layout(step: Int) -> ShardLayout {
        let first = step % stepsPerEpoch * settings.batchSize
        return layout(images: min(settings.batchSize, imageCount - first))
    }

    private func layout(images: Int) -> ShardLayout {
        ShardLayout(
            imageCount: images, shardSize: settings.shardSize, rank: rank, rankCount: rankCount)
    }

    /// The most images and shards that this rank ever has at once.
    var capacity: (images: Int, shards: Int) {
        let last = imageCount - (stepsPerEpoch - 1) * settings.batchSize
        let layouts = [layout(images: min(settings.batchSize, imageCount)), layout(images: last)]
        return (
            layouts.map(\.images.count).max() ?? 0, layouts.map(\.shards.count).max() ?? 0
        )
    }

    /// This rank's images of a step.
    func request(step: Int) -> BatchRequest {
        let epoch = step / stepsPerEpoch
        let first = step % stepsPerEpoch * settings.batchSize
        let stream = UInt64(stage.stream) << 32 | UInt64(epoch)
        let order = EpochOrder(count: imageCount, seed: seed, stream: stream)
        return BatchRequest(
            entries: layout(step: step).images.map { order[first + $0] }, augmentation: stream)
    }
}
