import Foundation
import Images
import Layers
import SaccaderModel
import Tensors

/// What the policies came to on a set of images.
public struct Scores: Sendable {
    /// The network without attention: the mean of all logits, one entry.
    public var meanLogits = PolicyScore(glimpses: 1)
    /// Each policy for 1…T glimpses.
    public var policies: [Policy: PolicyScore] = [:]
    /// What each policy did on the images that were asked for, in their order.
    public var sightings: [Policy: [Sighting]] = [:]
}

/// Looks at images and counts, alone: no training, no ranks.
public final class Evaluator {
    private let model: Saccader<Float>
    private let settings: ModelSettings
    private let inference: Inference<Float>
    private let policies: [Policy]
    private let glimpses: Int
    private let batchSize: Int

    /// Images that one thread takes at a time; a batch is a whole number of them, so that an
    /// image's bits do not depend on how the set is divided.
    public static let shardSize = 8

    /// Readies the policies for up to `glimpses` glimpses.
    public init(
        model: Saccader<Float>, store: ParameterStore, settings: ModelSettings, pool: ThreadPool,
        policies: [Policy], glimpses: Int, batchSize: Int = 64
    ) {
        (self.model, self.settings, self.policies) = (model, settings, policies)
        self.glimpses = glimpses
        self.batchSize = max(1, batchSize / Self.shardSize) * Self.shardSize
        inference = Inference(
            model, store: store, pool: pool, imageSize: settings.data.imageSize,
            imageCapacity: self.batchSize, shardSize: Self.shardSize,
            glimpses: policies.contains { $0.isLearned } ? glimpses : 0)
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
    ///   - pictured: Images of which `Scores.sightings` tells.
    ///   - progress: Told how many images are done.
    public func scores(
        _ set: ImageSet, range: Range<Int>, places: KnownPlaces? = nil,
        pictured: Set<Int> = [], progress: (Int) -> Void = { _ in }
    ) throws -> Scores {
        var scores = Scores()
        for policy in policies { scores.policies[policy] = PolicyScore(glimpses: glimpses) }
        let step = batchSize
        let loader = BatchLoader(set, configuration: settings.data, seed: settings.seed) { number in
            let first = range.lowerBound + number * step
            guard first < range.upperBound else { return nil }
            return BatchRequest(
                entries: Array(first..<min(range.upperBound, first + step)), augmentation: nil)
        }
        var done = 0
        while let batch = try loader.next() {
            let views = try inference(batch.images, imageCount: batch.entries.count)
            for (index, view) in views.enumerated() {
                count(
                    view, batch: batch, index: index, set: set, places: places,
                    isPictured: pictured.contains(batch.entries[index]), into: &scores)
            }
            done += views.count
            progress(done)
        }
        return scores
    }

    private func count(
        _ view: Inference<Float>.View, batch: ImageBatch, index: Int, set: ImageSet,
        places: KnownPlaces?, isPictured: Bool, into scores: inout Scores
    ) {
        let classes = settings.model.classes
        let label = Int(batch.labels[index])
        let geometry = inference.geometry
        let rank = AveragedLogits.rank(
            of: label, in: AveragedLogits.mean(view.logits, classes: classes))
        scores.meanLogits.imageCount += 1
        scores.meanLogits.top1[0] += rank < 1 ? 1 : 0
        scores.meanLogits.top5[0] += rank < 5 ? 1 : 0
        guard !policies.isEmpty else { return }
        let size = settings.data.imageSize
        let standardized = Array(
            batch.images[(index * size * size * 3)..<((index + 1) * size * size * 3)])
        let pixels = Preparation.unstandardized(standardized)
        let name = set.entries[batch.entries[index]].name
        let known = places?.places(of: name) ?? []
        for policy in policies {
            let locations = policy.locations(
                view, image: pixels, imageSize: size, geometry: geometry, classes: classes,
                most: glimpses, seed: settings.seed, identifier: batch.entries[index])
            let averages = AveragedLogits.prefixes(
                view.logits, classes: classes, locations: locations)
            let parts = Coverage.parts(locations, geometry: geometry, imageSize: size)
            var score = scores.policies[policy] ?? PolicyScore(glimpses: glimpses)
            score.imageCount += 1
            score.knownCount += known.isEmpty ? 0 : 1
            var hits = 0
            for t in locations.indices {
                let rank = AveragedLogits.rank(of: label, in: averages[t])
                score.top1[t] += rank < 1 ? 1 : 0
                score.top5[t] += rank < 5 ? 1 : 0
                score.coverage[t] += parts[t]
                score.coverageSquares[t] += parts[t] * parts[t]
                let center = geometry.centralPixel(ofLocation: locations[t])
                let isHit = known.contains {
                    max(abs($0.y - center.y), abs($0.x - center.x)) <= PolicyScore.hitDistance
                }
                hits += isHit ? 1 : 0
                score.hits[t] += hits
            }
            scores.policies[policy] = score
            guard isPictured else { continue }
            scores.sightings[policy, default: []].append(
                Sighting(
                    name: name,
                    pixels: Pixels(
                        height: size, width: size,
                        bytes: pixels.map { UInt8(($0 * 255).rounded()) }),
                    locations: locations, label: label,
                    predictions: averages.map { AveragedLogits.prediction($0) }))
        }
    }
}
