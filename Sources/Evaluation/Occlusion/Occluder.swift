import Checkpoints
import Families
import Models
import StoredModels
import Tensors
import Terminal

/// Takes the windows that a policy chose out of the images and asks a classifier, which was trained
/// apart, what it still sees (paper §4.2, fig. 5b).
///
/// Taken out is what is 0 in the standardised image: the mean colour.
public final class Occluder {
    /// The classifier's checkpoint.
    let path: String
    /// Where it comes from.
    let provenance: Provenance?
    private let classifier: StoredModel
    /// What its logits stand for; nil where the checkpoint does not say.
    private let classes: [KnownClass]?
    private var viewer: (any Viewer)?

    /// Opens a checkpoint of the stage `classifier`.
    ///
    /// - Parameter acceptsEdited: Whether the user has said that arrays were edited.
    convenience init(path: String, acceptsEdited: Bool = false) throws {
        let checkpoint = try Checkpoint(reading: path, acceptsEdited: acceptsEdited)
        let stage = try StoredModel.stage(of: checkpoint)
        // A model that chooses glimpses is no judge of whole images.
        guard Families.family(of: stage).policies(after: stage).isEmpty else {
            throw RequestError(
                "\(path): is of stage \(stage.name) and holds no classifier; give one that "
                    + "saccader-dist train --stages classifier wrote", exitCode: .badData)
        }
        let stored = try StoredModel(checkpoint)
        self.init(
            stored, path: path, provenance: Provenance(path: path, header: checkpoint.header),
            classes: try stored.classes(of: checkpoint))
    }

    init(
        _ classifier: StoredModel, path: String, provenance: Provenance? = nil,
        classes: [KnownClass]? = nil
    ) {
        (self.classifier, self.path, self.provenance) = (classifier, path, provenance)
        self.classes = classes
    }

    /// Refuses a classifier of other images or classes than those of the model that looks.
    func requireLikeness(
        _ settings: CheckpointSettings, _ model: any ModelFamily, classes: [KnownClass]?,
        of viewer: String
    ) throws {
        func require<Value: Equatable>(_ what: String, _ own: Value, _ other: Value) throws {
            if own == other { return }
            throw RequestError(
                "--occlusion \(path): has \(what) \(own), but \(viewer) has \(other); give "
                    + "a classifier trained on images prepared alike",
                exitCode: .badData)
        }
        let (own, other) = (classifier.settings.data, settings.data)
        try require("the number of classes", classifier.model.classes, model.classes)
        if let place = self.classes?.firstDifference(from: classes) {
            try require(
                "at logit \(place) the class", self.classes?[place].name ?? "",
                classes?[place].name ?? "")
        }
        try require("the image size", own.imageSize, model.viewedImageSize)
        for (fact, like) in zip(own.likeness, other.likeness) {
            try require(fact.key, fact.value, like.value)
        }
    }

    /// Counts what the classifier says of a batch, whole and without each policy's windows.
    ///
    /// - Parameters:
    ///   - images: `[N, H, W, 3]`, standardised.
    ///   - windows: What each policy's glimpses saw, `[draw][N][T]`; after each of the scores'
    ///     numbers of glimpses the windows up to there are gone.
    ///   - compared: The classes that a prediction may be.
    func count(
        _ images: [Float], labels: [Int32], windows: [Policy: [[[Window]]]],
        compared: ComparedClasses = .all, pool: ThreadPool, into scores: inout OcclusionScores
    ) throws {
        let size = classifier.settings.data.imageSize
        let viewer =
            try self.viewer
            ?? classifier.model.viewer(
                ViewPlan(
                    store: classifier.store, pool: pool,
                    imageCapacity: (labels.count + Evaluator.shardSize - 1) / Evaluator.shardSize
                        * Evaluator.shardSize, shardSize: Evaluator.shardSize, glimpses: 0,
                    policies: [:], seed: 0))
        // The first batch is the largest.
        self.viewer = viewer
        func judge(_ images: [Float]) throws -> OcclusionScores.Tally {
            let views = try viewer(
                ViewedImages(
                    standardized: images, pixels: [], identifiers: Array(labels.indices)),
                wantsMap: false)
            let ranks = zip(views, labels).map { view, label in
                guard let logits = view.whole else {
                    preconditionFailure("a classifier judges whole images")
                }
                return AveragedLogits.rank(of: Int(label), in: compared(logits))
            }
            return OcclusionScores.Tally(
                top1: ranks.count { $0 < 1 }, top5: ranks.count { $0 < 5 })
        }
        scores.intact += try judge(images)
        let pixels = size * size * 3
        for (policy, draws) in windows {
            for (draw, seen) in draws.enumerated() {
                var occluded = images
                var shown = 0
                var tally = OcclusionScores.Tally()
                for (index, glimpses) in scores.glimpses.enumerated() {
                    var isNew = false
                    for (image, windows) in seen.enumerated() {
                        for window in windows[shown..<glimpses]
                        where !windows[..<shown].contains(window) {
                            isNew = true
                            Self.clear(
                                window, side: size, of: &occluded, from: image * pixels)
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
        _ window: Window, side: Int, of images: inout [Float], from start: Int
    ) {
        let columns = window.columns.clamped(to: 0..<side)
        for y in window.rows.clamped(to: 0..<side) {
            for value in (3 * columns.lowerBound)..<(3 * columns.upperBound) {
                images[start + 3 * y * side + value] = 0
            }
        }
    }
}
