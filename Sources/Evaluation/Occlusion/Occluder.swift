import Checkpoints
import Models
import SaccaderModel
import Tensors

/// Takes the windows that a policy chose out of the images and asks a classifier, which was trained
/// apart, what it still sees (paper §4.2, fig. 5b).
///
/// Taken out is what is 0 in the standardised image: the mean colour.
public final class Occluder {
    /// The classifier's checkpoint.
    let path: String
    /// Where it comes from.
    let provenance: Provenance?
    private let classifier: StoredClassifier
    private var inference: ClassifierInference<Float>?

    /// Opens a checkpoint of the stage `classifier`.
    convenience init(path: String) throws {
        let checkpoint = try Checkpoint(reading: path)
        self.init(
            try StoredClassifier(checkpoint), path: path,
            provenance: Provenance(path: path, header: checkpoint.header))
    }

    init(_ classifier: StoredClassifier, path: String, provenance: Provenance? = nil) {
        (self.classifier, self.path, self.provenance) = (classifier, path, provenance)
    }

    /// Refuses a classifier of other images or classes than those of a Saccader.
    func requireLikeness(_ settings: ModelSettings, of saccader: String) throws {
        func require<Value: Equatable>(
            _ what: String, _ value: (ModelSettings) -> Value
        ) throws {
            let (own, other) = (value(classifier.settings), value(settings))
            if own == other { return }
            throw EvaluationError(
                "--occlusion \(path): has \(what) \(own), but \(saccader) has \(other); give "
                    + "a classifier trained on images prepared alike",
                exitCode: .badData)
        }
        try require("the number of classes") { $0.model.classes }
        try require("the image size") { $0.data.imageSize }
        try require("data.backgroundClass") { $0.data.backgroundClass }
        try require("data.centralCropMargin") { $0.data.centralCropMargin }
    }

    /// Counts what the classifier says of a batch, whole and without each policy's windows.
    ///
    /// - Parameters:
    ///   - images: `[N, H, W, 3]`, standardised.
    ///   - locations: Each policy's places, `[draw][N][T]`; after each of the scores' numbers of
    ///     glimpses the windows of the places up to there are gone.
    func count(
        _ images: [Float], labels: [Int32], locations: [Policy: [[[Int]]]], geometry: Geometry,
        pool: ThreadPool, into scores: inout OcclusionScores
    ) throws {
        let size = classifier.settings.data.imageSize
        let inference =
            self.inference
            ?? ClassifierInference(
                classifier.model, store: classifier.store, pool: pool, imageSize: size,
                imageCapacity: (labels.count + Evaluator.shardSize - 1) / Evaluator.shardSize
                    * Evaluator.shardSize, shardSize: Evaluator.shardSize)
        // The first batch is the largest.
        self.inference = inference
        func judge(_ images: [Float]) throws -> OcclusionScores.Tally {
            let ranks = zip(try inference(images, imageCount: labels.count), labels).map {
                AveragedLogits.rank(of: Int($1), in: $0)
            }
            return OcclusionScores.Tally(
                top1: ranks.count { $0 < 1 }, top5: ranks.count { $0 < 5 })
        }
        scores.intact += try judge(images)
        let pixels = size * size * 3
        for (policy, draws) in locations {
            for (draw, places) in draws.enumerated() {
                var occluded = images
                var shown = 0
                var tally = OcclusionScores.Tally()
                for (index, glimpses) in scores.glimpses.enumerated() {
                    var isNew = false
                    for (image, places) in places.enumerated() {
                        for place in places[shown..<glimpses]
                        where !places[..<shown].contains(place) {
                            isNew = true
                            Self.clear(
                                geometry.window(of: place), side: size, of: &occluded,
                                from: image * pixels)
                        }
                    }
                    shown = glimpses
                    // A policy that stays where it is, is judged once.
                    if isNew { tally = try judge(occluded) }
                    scores.policies[policy]?[draw][index] += tally
                }
            }
        }
    }

    private static func clear(
        _ window: (rows: Range<Int>, columns: Range<Int>), side: Int, of images: inout [Float],
        from start: Int
    ) {
        let columns = window.columns.clamped(to: 0..<side)
        for y in window.rows.clamped(to: 0..<side) {
            for value in (3 * columns.lowerBound)..<(3 * columns.upperBound) {
                images[start + 3 * y * side + value] = 0
            }
        }
    }
}
