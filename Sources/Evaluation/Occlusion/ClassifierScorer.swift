import Images
import Layers
import Models
import SaccaderModel
import Tensors

/// Counts how many images a classifier gets right, alone: no training, no ranks.
public final class ClassifierScorer {
    private let settings: ModelSettings
    private let inference: ClassifierInference<Float>

    /// Readies the classifier for batches of `batchSize` images.
    public init(
        _ model: Classifier<Float>, store: ParameterStore, settings: ModelSettings,
        pool: ThreadPool, batchSize: Int
    ) {
        self.settings = settings
        let shardSize = Evaluator.shardSize
        inference = ClassifierInference(
            model, store: store, pool: pool, imageSize: settings.data.imageSize,
            imageCapacity: max(1, batchSize / shardSize) * shardSize, shardSize: shardSize)
    }

    /// The images of `set[range]` whose class has the largest logit.
    ///
    /// - Parameter progress: Told how many images are done.
    public func correct(
        _ set: ImageSet, range: Range<Int>, progress: (Int) -> Void
    ) throws -> Int {
        let step = inference.imageCapacity
        let loader = BatchLoader(set, configuration: settings.data, seed: settings.seed) { number in
            let first = range.lowerBound + number * step
            guard first < range.upperBound else { return nil }
            return BatchRequest(
                entries: Array(first..<min(range.upperBound, first + step)), augmentation: nil)
        }
        var (correct, done) = (0, 0)
        while let batch = try loader.next() {
            let logits = try inference(batch.images, imageCount: batch.entries.count)
            for (values, label) in zip(logits, batch.labels)
            where AveragedLogits.prediction(values) == Int(label) {
                correct += 1
            }
            done += logits.count
            progress(done)
        }
        return correct
    }
}
