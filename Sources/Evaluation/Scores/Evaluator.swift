import Images
import Layers
import SaccaderModel
import Tensors

/// Looks at images and counts: one forward pass of the network serves all policies.
public final class Evaluator {
    private let settings: ModelSettings
    private let inference: Inference<Float>
    private let pool: ThreadPool
    private let policies: [Policy]
    private let glimpses: Int
    private let draws: Int
    private let verdictGlimpses: Int
    private let batchSize: Int
    private let occluder: Occluder?
    private let occlusionGlimpses: [Int]
    /// Pixels in the union of all windows.
    private let allPixels: Int

    /// Images that one thread takes at a time; a batch is a whole number of them, so that an
    /// image's bits do not depend on how the set is divided.
    public static let shardSize = 8

    /// Readies the policies for up to `glimpses` glimpses.
    ///
    /// - Parameters:
    ///   - draws: How often the random policy is drawn.
    ///   - verdictGlimpses: After how many glimpses `Scores.verdicts` tells each image's
    ///     prediction; 0 leaves them out.
    ///   - occluder: Judges images without the policies' windows, if asked for.
    ///   - occlusionGlimpses: After which numbers of glimpses it does.
    public init(
        model: Saccader<Float>, store: ParameterStore, settings: ModelSettings, pool: ThreadPool,
        policies: [Policy], glimpses: Int, draws: Int = 1, verdictGlimpses: Int = 0,
        batchSize: Int = 64, occluder: Occluder? = nil, occlusionGlimpses: [Int] = []
    ) throws {
        (self.occluder, self.occlusionGlimpses) = (occluder, occlusionGlimpses)
        (self.settings, self.pool, self.policies) = (settings, pool, policies)
        (self.glimpses, self.draws, self.verdictGlimpses) = (glimpses, draws, verdictGlimpses)
        self.batchSize = max(1, batchSize / Self.shardSize) * Self.shardSize
        inference = try Inference(
            model, store: store, pool: pool, imageSize: settings.data.imageSize,
            imageCapacity: self.batchSize, shardSize: Self.shardSize,
            glimpses: policies.contains { $0.isLearned } ? glimpses : 0)
        let geometry = inference.geometry
        allPixels =
            Coverage.pixels(
                Array(0..<geometry.locationCount), geometry: geometry,
                imageSize: settings.data.imageSize
            ).last ?? 0
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
        for policy in policies {
            let none = PolicyScore(
                glimpses: glimpses, locationCount: inference.geometry.locationCount,
                pixelCount: settings.data.imageSize * settings.data.imageSize)
            scores.policies[policy] = Array(repeating: none, count: drawCount(policy))
            if verdictGlimpses > 0 {
                let zeros = [Int](repeating: 0, count: set.entries.count)
                scores.verdicts[policy] = Scores.Verdicts(predictions: zeros, losses: zeros)
            }
        }
        var occlusion = occluder.map { _ in
            OcclusionScores(
                policies: Dictionary(
                    uniqueKeysWithValues: policies.map { ($0, drawCount($0)) }),
                glimpses: occlusionGlimpses)
        }
        try look(at: Array(range), of: set, places: places, wantsPolicy: false) { looks, batch in
            for look in looks { count(look, into: &scores) }
            if let occluder, var counts = occlusion {
                let locations = policies.map { policy in
                    (
                        policy,
                        (0..<drawCount(policy)).map { draw in
                            looks.map { $0.trajectories[policy]?[draw].locations ?? [] }
                        }
                    )
                }
                try occluder.count(
                    batch.images, labels: batch.labels,
                    locations: Dictionary(uniqueKeysWithValues: locations),
                    geometry: inference.geometry, pool: pool, into: &counts)
                occlusion = counts
            }
            progress(scores.meanLogits.imageCount)
        }
        scores.occlusion = occlusion
        return scores
    }

    /// The images `chosen` of `set` with all that pictures show.
    public func sightings(
        _ set: ImageSet, _ chosen: [Int], places: KnownPlaces? = nil
    ) throws -> [Sighting] {
        var sightings: [Sighting] = []
        try look(at: chosen, of: set, places: places, wantsPolicy: true) { looks, _ in
            sightings += looks.map { look in
                Sighting(
                    name: set.entries[look.entry].name,
                    pixels: Pixels(
                        height: settings.data.imageSize, width: settings.data.imageSize,
                        bytes: look.pixels.map { UInt8(($0 * 255).rounded()) }),
                    label: look.label,
                    trajectories: look.trajectories.compactMapValues(\.first),
                    policy: look.policy)
            }
        }
        return sightings
    }

    /// What came of one image.
    private struct Look {
        let entry: Int
        let label: Int
        /// Without attention.
        let meanRank: Int
        /// `[H, W, 3]`, on the scale [0, 1].
        let pixels: [Float]
        /// Each policy's draws.
        let trajectories: [Policy: [Trajectory]]
        let policy: [Float]
    }

    private func drawCount(_ policy: Policy) -> Int { policy.isRandom ? draws : 1 }

    private func count(_ look: Look, into scores: inout Scores) {
        scores.meanLogits.imageCount += 1
        scores.meanLogits.top1 += look.meanRank < 1 ? 1 : 0
        scores.meanLogits.top5 += look.meanRank < 5 ? 1 : 0
        for (policy, trajectories) in look.trajectories {
            for (draw, trajectory) in trajectories.enumerated() {
                scores.policies[policy]?[draw].add(trajectory)
            }
            guard verdictGlimpses > 0, let first = trajectories.first else { continue }
            scores.verdicts[policy]?.predictions[look.entry] =
                first.predictions[verdictGlimpses - 1]
            scores.verdicts[policy]?.losses[look.entry] = first.losses[verdictGlimpses - 1]
        }
    }

    /// Passes all images through the network, batch by batch.
    private func look(
        at entries: [Int], of set: ImageSet, places: KnownPlaces?, wantsPolicy: Bool,
        _ take: ([Look], ImageBatch) throws -> Void
    ) throws {
        // A run in training scores again after more steps.
        try inference.readParameters()
        let step = batchSize
        let loader = BatchLoader(set, configuration: settings.data, seed: settings.seed) { number in
            let first = number * step
            guard first < entries.count else { return nil }
            return BatchRequest(
                entries: Array(entries[first..<min(entries.count, first + step)]),
                augmentation: nil)
        }
        while let batch = try loader.next() {
            let count = batch.entries.count
            let views = try inference(
                batch.images, imageCount: count, wantsPolicy: wantsPolicy)
            var looks = [Look?](repeating: nil, count: count)
            looks.withUnsafeMutableBufferPointer { looks in
                pool.run(count) { index, _ in
                    looks[index] = look(views[index], batch, index, set: set, places: places)
                }
            }
            try take(looks.compactMap { $0 }, batch)
        }
    }

    private func look(
        _ view: Inference<Float>.View, _ batch: ImageBatch, _ index: Int, set: ImageSet,
        places: KnownPlaces?
    ) -> Look {
        let (classes, size) = (settings.model.classes, settings.data.imageSize)
        let (entry, label) = (batch.entries[index], Int(batch.labels[index]))
        let count = size * size * 3
        let pixels =
            policies.isEmpty
            ? []
            : Preparation.unstandardized(
                Array(batch.images[(index * count)..<((index + 1) * count)]))
        let crop = batch.crops[index]
        let known =
            policies.isEmpty
            ? []
            : (places?.places(of: set.entries[entry].name) ?? []).compactMap {
                crop.place(y: $0.y, x: $0.x)
            }
        var trajectories: [Policy: [Trajectory]] = [:]
        for policy in policies {
            trajectories[policy] = (0..<drawCount(policy)).map { draw in
                let locations = policy.locations(
                    view, image: pixels, imageSize: size, geometry: inference.geometry,
                    classes: classes, most: glimpses, seed: settings.seed, identifier: entry,
                    draw: draw)
                // Soft attention sees all windows at every glimpse, its locations being the most
                // attended ones.
                let covered =
                    policy.isLearned && !view.soft.isEmpty
                    ? locations.map { _ in allPixels }
                    : Coverage.pixels(locations, geometry: inference.geometry, imageSize: size)
                return Trajectory(
                    locations,
                    averages: view.averages(policy, locations, classes: classes),
                    coveredPixels: covered, label: label, geometry: inference.geometry,
                    known: known, scale: Double(size) / Double(PolicyScore.hitImageSize))
            }
        }
        let mean = AveragedLogits.mean(view.logits, classes: classes)
        return Look(
            entry: entry, label: label, meanRank: AveragedLogits.rank(of: label, in: mean),
            pixels: pixels, trajectories: trajectories, policy: view.policy)
    }
}
