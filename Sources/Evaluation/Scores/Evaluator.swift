import Images
import Layers
import Models
import Tensors

/// Looks at images and counts; what a glimpse is, is the model's own business.
public final class Evaluator {
    /// What to look at images with, and for.
    public struct Plan {
        /// The policies, in the order of reports; none: whole images alone.
        public var policies: [Policy] = []
        /// T, the most glimpses.
        public var glimpses = 0
        /// How often the random policy is drawn.
        public var draws = 1
        /// After how many glimpses `Scores.verdicts` tells each image's prediction; 0 leaves them
        /// out.
        public var verdictGlimpses = 0
        /// After how many glimpses `Scores.outcomes` tells of the prediction; 0 leaves them out.
        var judgedGlimpses = 0
        /// Images of one pass through the network.
        public var batchSize = 64
        /// What the model is shown of an image.
        public var framing = Framing.crop
        /// Judges images without the policies' windows, if asked for.
        var occluder: Occluder?
        /// The classes that a prediction may be.
        var compared = ComparedClasses.all
        /// After which numbers of glimpses it does.
        var occlusionGlimpses: [Int] = []

        /// Whole images.
        public init() {}

        func drawCount(_ policy: Policy) -> Int { policy.isRandom ? draws : 1 }
    }

    private let viewer: any Viewer
    private let data: DataConfiguration
    /// The side of the image that windows are of, in pixels.
    private let viewedSize: Int
    private let seed: UInt64
    private let pool: ThreadPool
    private let plan: Plan
    private let batchSize: Int

    /// Images that one thread takes at a time; a batch is a whole number of them, so that an
    /// image's bits do not depend on how the set is divided.
    public static let shardSize = 8

    /// Readies a model's policies.
    public init(
        model: any ModelFamily, store: ParameterStore, data: DataConfiguration, seed: UInt64,
        pool: ThreadPool, plan: Plan
    ) throws {
        (self.data, self.seed, self.pool, self.plan) = (data.forModel(model), seed, pool, plan)
        viewedSize = model.viewedImageSize
        batchSize = Self.wholeShards(plan.batchSize)
        viewer = try Self.viewer(model, store: store, seed: seed, pool: pool, plan: plan)
    }

    private static func wholeShards(_ images: Int) -> Int {
        max(1, images / shardSize) * shardSize
    }

    private static func viewer(
        _ model: any ModelFamily, store: ParameterStore, seed: UInt64, pool: ThreadPool, plan: Plan
    ) throws -> any Viewer {
        try model.viewer(
            ViewPlan(
                store: store, pool: pool, imageCapacity: wholeShards(plan.batchSize),
                shardSize: shardSize, glimpses: plan.glimpses,
                policies: Dictionary(
                    uniqueKeysWithValues: plan.policies.map { ($0, plan.drawCount($0)) }),
                seed: seed))
    }

    /// Bytes that an evaluator takes besides the model's numbers, known before it takes any.
    public static func byteCount(
        model: any ModelFamily, data: DataConfiguration, seed: UInt64, pool: ThreadPool, plan: Plan
    ) throws -> Int {
        let images = BatchLoader.byteCount(
            images: wholeShards(plan.batchSize), configuration: data.forModel(model))
        let store = ParameterStore(planning: model.layout)
        let looking = try viewer(model, store: store, seed: seed, pool: pool, plan: plan)
        // Policies look at the pixels on another scale too.
        let copies = plan.policies.isEmpty ? 0 : images.ofBatch
        return looking.byteCount + images.all + copies
    }

    /// The images `part` of a set of `count` that one of several ranks looks at: whole shards.
    public static func part(_ count: Int, rank: Int, of rankCount: Int) -> Range<Int> {
        let shards = (count + shardSize - 1) / shardSize
        let first = shards * rank / rankCount * shardSize
        return min(count, first)..<min(count, shards * (rank + 1) / rankCount * shardSize)
    }

    /// Counts over the images `range` of `set`.
    ///
    /// - Parameters:
    ///   - places: Where the evidence lies, if known.
    ///   - progress: Told how many images are done.
    public func scores(
        _ set: ImageSet, range: Range<Int>, places: KnownPlaces? = nil,
        progress: (Int) -> Void = { _ in }
    ) throws -> Scores {
        var scores = Scores()
        for policy in plan.policies {
            let none = PolicyScore(
                glimpses: plan.glimpses, placeCount: viewer.placeCount,
                pixelCount: viewedSize * viewedSize)
            scores.policies[policy] = Array(repeating: none, count: plan.drawCount(policy))
            if plan.verdictGlimpses > 0 {
                let zeros = [Int](repeating: 0, count: set.entries.count)
                scores.verdicts[policy] = Scores.Verdicts(predictions: zeros, losses: zeros)
            }
        }
        if plan.judgedGlimpses > 0 { scores.outcomes = Outcomes(count: set.entries.count) }
        scores.occlusion = plan.occluder.map { _ in
            OcclusionScores(
                policies: Dictionary(
                    uniqueKeysWithValues: plan.policies.map { ($0, plan.drawCount($0)) }),
                glimpses: plan.occlusionGlimpses)
        }
        try look(at: Array(range), of: set, places: places, wantsMap: false) { seen, batch in
            for image in seen { count(image, into: &scores) }
            if let occluder = plan.occluder, var counts = scores.occlusion {
                let windows = plan.policies.map { policy in
                    (
                        policy,
                        (0..<plan.drawCount(policy)).map { draw in
                            seen.map { $0.sequences[policy]?[draw].windows ?? [] }
                        }
                    )
                }
                try occluder.count(
                    batch.viewedImages, labels: batch.labels,
                    windows: Dictionary(uniqueKeysWithValues: windows),
                    compared: plan.compared, pool: pool, into: &counts)
                scores.occlusion = counts
            }
            progress(scores.imageCount)
        }
        return scores
    }

    /// The images `chosen` of `set` with all that pictures show.
    public func pictured(
        _ set: ImageSet, _ chosen: [Int], places: KnownPlaces? = nil
    ) throws -> [PicturedImage] {
        var pictured: [PicturedImage] = []
        try look(at: chosen, of: set, places: places, wantsMap: true) { seen, _ in
            pictured += seen.map { image in
                PicturedImage(
                    name: set.entries[image.entry].name,
                    pixels: Pixels(
                        height: viewedSize, width: viewedSize,
                        bytes: image.pixels.map { UInt8(($0 * 255).rounded()) }),
                    label: image.label,
                    sequences: image.sequences.compactMapValues(\.first), map: image.map)
            }
        }
        return pictured
    }

    /// What came of one image.
    private struct SeenImage {
        let entry: Int
        let label: Int
        /// The logits without any choice of glimpses; nil where the model has nothing of the kind.
        let whole: [Float]?
        /// `[H, W, 3]`, on the scale [0, 1].
        let pixels: [Float]
        /// Each policy's draws.
        let sequences: [Policy: [ScoredSequence]]
        let map: PolicyMap?
    }

    private func count(_ image: SeenImage, into scores: inout Scores) {
        scores.imageCount += 1
        if let whole = image.whole {
            let rank = AveragedLogits.rank(of: image.label, in: whole)
            scores.meanLogits.imageCount += 1
            scores.meanLogits.top1 += rank < 1 ? 1 : 0
            scores.meanLogits.top5 += rank < 5 ? 1 : 0
        }
        judge(image, into: &scores)
        for (policy, sequences) in image.sequences {
            for (draw, sequence) in sequences.enumerated() {
                scores.policies[policy]?[draw].add(sequence)
            }
            guard plan.verdictGlimpses > 0, let first = sequences.first else { continue }
            scores.verdicts[policy]?.predictions[image.entry] =
                first.predictions[plan.verdictGlimpses - 1]
            scores.verdicts[policy]?.losses[image.entry] = first.losses[plan.verdictGlimpses - 1]
        }
    }

    /// The prediction that a report's last line tells of: the learned policy's, or that of the whole
    /// image, or the first policy's.
    private func judge(_ image: SeenImage, into scores: inout Scores) {
        guard plan.judgedGlimpses > 0 else { return }
        let learned = image.sequences[.learned]?.first
        if let whole = image.whole, learned == nil {
            scores.outcomes?.add(
                image.entry, label: image.label, predictions: [AveragedLogits.prediction(whole)],
                confidences: [Confidence.judge(whole, label: image.label).confidence])
            return
        }
        let first = Policy.allCases.lazy.compactMap { image.sequences[$0]?.first }.first
        guard let sequence = learned ?? first else { return }
        scores.outcomes?.add(
            image.entry, label: image.label,
            predictions: sequence.predictions.prefix(plan.judgedGlimpses),
            confidences: Array(sequence.confidences.prefix(plan.judgedGlimpses)))
    }

    /// Shows the model all images, batch by batch.
    private func look(
        at entries: [Int], of set: ImageSet, places: KnownPlaces?, wantsMap: Bool,
        _ take: ([SeenImage], ImageBatch) throws -> Void
    ) throws {
        // A run in training scores again after more steps.
        try viewer.readParameters()
        let loader = BatchLoader(
            set, entries: entries, batchSize: batchSize, configuration: data, seed: seed,
            framing: plan.framing)
        while let batch = try loader.next() {
            let pixels = self.pixels(batch.images, of: batch, side: data.imageSize)
            let views = try viewer(
                ViewedImages(
                    standardized: batch.images, patchImages: batch.patchImages, pixels: pixels,
                    identifiers: batch.entries),
                wantsMap: wantsMap)
            for (view, entry) in zip(views, batch.entries) {
                try LogitsError.check(view, image: set.entries[entry].name)
            }
            let shown =
                batch.patchImages.isEmpty || !wantsMap
                ? pixels : self.pixels(batch.patchImages, of: batch, side: viewedSize)
            try take(seen(views, shown, batch, set: set, places: places), batch)
        }
    }

    /// Each image on the scale [0, 1]; empty where no policies are followed.
    private func pixels(_ images: [Float], of batch: ImageBatch, side: Int) -> [[Float]] {
        let (count, length) = (batch.entries.count, side * side * 3)
        var pixels = [[Float]](repeating: [], count: count)
        if plan.policies.isEmpty { return pixels }
        pixels.withUnsafeMutableBufferPointer { pixels in
            pool.run(count) { index, _ in
                pixels[index] = Preparation.unstandardized(
                    Array(images[(index * length)..<((index + 1) * length)]))
            }
        }
        return pixels
    }

    private func seen(
        _ views: [ModelOutput], _ pixels: [[Float]], _ batch: ImageBatch, set: ImageSet,
        places: KnownPlaces?
    ) -> [SeenImage] {
        var seen = [SeenImage?](repeating: nil, count: views.count)
        seen.withUnsafeMutableBufferPointer { seen in
            pool.run(views.count) { index, _ in
                let (entry, label) = (batch.entries[index], Int(batch.labels[index]))
                let known =
                    plan.policies.isEmpty
                    ? []
                    : (places?.places(of: set.entries[entry].name) ?? []).compactMap {
                        batch.crops[index].place(y: $0.y, x: $0.x)
                    }
                let view = views[index]
                seen[index] = SeenImage(
                    entry: entry, label: label,
                    whole: view.whole.map { plan.compared($0) }, pixels: pixels[index],
                    sequences: view.sequences.mapValues { draws in
                        draws.map {
                            ScoredSequence(
                                $0, label: label, compared: plan.compared,
                                imageSize: viewedSize, known: known)
                        }
                    }, map: view.map)
            }
        }
        return seen.compactMap { $0 }
    }
}
