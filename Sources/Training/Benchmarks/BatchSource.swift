import Collectives
import Families
import Images
import Models
import Tensors

/// Where a step benchmark's batches come from.
enum BatchSource {
    /// One batch of standardised noise again and again: speed does not depend on what is in it.
    case made(TrainingBatch)
    /// Images read from files, as training reads them.
    case read(BatchLoader, seed: UInt64)

    /// Noise in place of `images` of the global batch.
    static func noise(
        _ images: Range<Int>, model: any ModelFamily, configuration: RunConfiguration
    ) -> BatchSource {
        let classes = model.classes
        return .made(
            TrainingBatch(
                images: pixels(images, side: model.imageSize, seed: configuration.seed),
                patchImages: patchPixels(images, model: model, seed: configuration.seed),
                labels: images.map { Int32($0 % classes) },
                glimpses: .sampled(
                    seed: configuration.seed, stream: 0, identifiers: Array(images))))
    }

    /// Standardised noise: speed does not depend on what is in the images.
    static func pixels(_ images: Range<Int>, side: Int, seed: UInt64) -> [Float] {
        let count = side * side * 3
        var pixels: [Float] = []
        pixels.reserveCapacity(images.count * count)
        for image in images {
            var random = CounterRandom(
                seed: seed, purpose: .augmentation, index: UInt64(image))
            for _ in 0..<count { pixels.append(Float(4 * random.uniform() - 2)) }
        }
        return pixels
    }

    /// The same for what patches are cut out of, where that is of another size.
    static func patchPixels(
        _ images: Range<Int>, model: any ModelFamily, seed: UInt64
    ) -> [Float] {
        model.viewedImageSize == model.imageSize
            ? [] : pixels(images, side: model.viewedImageSize, seed: seed)
    }

    /// The training images of a folder or index, in an epoch's order, over and over.
    static func files(
        _ path: String, layout: ShardLayout, stage: Stage, configuration: RunConfiguration
    ) throws -> BatchSource {
        var configuration = configuration
        configuration.data.path = path
        let settings = configuration.data.forModel(configuration.model(of: stage))
        let data = try ImageDataset(path, configuration: settings, seed: configuration.seed)
        try Trainer.requireFit(configuration, stages: [stage], data: data, ranks: 1)
        let images = data.training
        let count = images.entries.count
        let order = EpochOrder(
            count: count, seed: configuration.seed, stream: UInt64(stage.stream) << 32)
        let loader = BatchLoader(images, configuration: settings, seed: configuration.seed) {
            number in
            BatchRequest(
                entries: layout.images.map { order[(number * layout.imageCount + $0) % count] },
                augmentation: UInt64(number))
        }
        return .read(loader, seed: configuration.seed)
    }

    /// The next batch.
    func next() throws -> TrainingBatch {
        switch self {
        case .made(let batch): return batch
        case .read(let loader, let seed):
            guard let images = try loader.next() else {
                preconditionFailure("the benchmark's requests do not end")
            }
            return TrainingBatch(
                images: images.images, patchImages: images.patchImages, labels: images.labels,
                glimpses: .sampled(seed: seed, stream: 0, identifiers: images.entries))
        }
    }
}
