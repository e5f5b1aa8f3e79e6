import Checkpoints
import Foundation
import Images
import SaccaderModel
import Tensors

/// What to evaluate, as the command line says it.
public struct EvaluationOptions: Sendable {
    /// The checkpoint file.
    public var checkpoint: String
    /// The data folder.
    public var data: String
    /// The subset: `val`, `dev` or `train`.
    public var split = "val"
    /// Policies in the order of the report; nil: all that the checkpoint can follow.
    public var policies: [Policy]?
    /// Numbers of glimpses.
    public var glimpses: GlimpseList
    /// At most this many images, spread evenly over the subset; nil: all.
    public var limit: Int?
    /// Images on a contact sheet.
    public var picturedCount = 24
    /// Glimpses on a contact sheet.
    public var picturedGlimpses = 6
    /// Threads.
    public var threadCount: Int

    /// The plain case.
    public init(checkpoint: String, data: String, glimpses: GlimpseList, threadCount: Int) {
        (self.checkpoint, self.data) = (checkpoint, data)
        (self.glimpses, self.threadCount) = (glimpses, threadCount)
    }
}

/// One checkpoint on one set of images.
public final class CheckpointEvaluation {
    private let options: EvaluationOptions
    private let stored: StoredModel
    private let step: Int
    private let policies: [Policy]
    private let classes: [String]
    private let geometry: Geometry
    private let images: ImageSet
    private let places: KnownPlaces?
    private var sightings: [Policy: [Sighting]] = [:]

    /// Opens checkpoint and images and refuses what does not fit together.
    public init(_ options: EvaluationOptions) throws {
        self.options = options
        let checkpoint = try Checkpoint(reading: options.checkpoint)
        stored = try StoredModel(checkpoint)
        step = checkpoint.header.step
        policies = try Self.policies(options, stage: stored.stage)
        let (names, all) = try ImageFolder.subset(
            options.split, of: options.data, configuration: stored.settings.data,
            seed: stored.settings.seed)
        classes = (stored.settings.data.backgroundClass ? ["background"] : []) + names
        if classes.count != stored.settings.model.classes {
            throw EvaluationError(
                "\(options.data): has \(classes.count) classes"
                    + (stored.settings.data.backgroundClass ? " with the background" : "")
                    + ", but \(options.checkpoint) was trained on "
                    + "\(stored.settings.model.classes); give --data the folder with its classes",
                exitCode: .badData)
        }
        images = Self.spread(all, limit: options.limit)
        geometry = Geometry(
            stored.settings.model.representation, imageSize: stored.settings.data.imageSize)
        if options.glimpses.most > geometry.locationCount {
            throw EvaluationError(
                "--glimpses: \(options.glimpses.most) is more than the model's "
                    + "\(geometry.locationCount) locations; ask for at most that many")
        }
        places = try KnownPlaces(folder: options.data)
    }

    private static func policies(
        _ options: EvaluationOptions, stage: StageName
    ) throws -> [Policy] {
        let isUntrained = stage == .representation
        guard let asked = options.policies else {
            return Policy.allCases.filter { !(isUntrained && $0.isLearned) }
        }
        if isUntrained && asked.contains(.learned) {
            throw EvaluationError(
                "\(options.checkpoint): of stage representation, it has no trained attention for "
                    + "the policy \"learned\"; leave it out of --policies or give a checkpoint of "
                    + "stage location or joint")
        }
        return asked
    }

    /// Every n-th image, so that all classes stay.
    private static func spread(_ set: ImageSet, limit: Int?) -> ImageSet {
        let count = set.entries.count
        guard let limit, limit < count else { return set }
        return ImageSet(
            folder: set.folder, entries: (0..<limit).map { set.entries[$0 * count / limit] })
    }

    /// How many images will be looked at.
    public var imageCount: Int { images.entries.count }

    /// Looks at all images.
    ///
    /// - Parameter progress: Told how many are done.
    public func run(progress: (Int) -> Void = { _ in }) throws -> EvaluationReport {
        MatrixMultiply.useOneThread()
        let evaluator = Evaluator(
            model: stored.model, store: stored.store, settings: stored.settings,
            pool: ThreadPool(threadCount: options.threadCount), policies: policies,
            glimpses: options.glimpses.most)
        let pictured = min(options.picturedCount, imageCount)
        let scores = try evaluator.scores(
            images, range: 0..<imageCount, places: places,
            pictured: Set((0..<pictured).map { $0 * imageCount / pictured }), progress: progress)
        sightings = scores.sightings
        return report(scores)
    }

    private func report(_ scores: Scores) -> EvaluationReport {
        let mean = scores.meanLogits
        var entries: [String: [EvaluationReport.Entry]] = [:]
        for (policy, score) in scores.policies {
            entries[policy.rawValue] = options.glimpses.counts.map { t in
                EvaluationReport.Entry(
                    glimpses: t, top1Count: score.top1[t - 1], top1: score.accuracy(t),
                    top5Count: score.top5[t - 1], top5: score.topFive(t),
                    coverage: score.meanCoverage(t),
                    coverageDeviation: score.coverageDeviation(t), hits: score.hitRate(t))
            }
        }
        return EvaluationReport(
            checkpoint: options.checkpoint, stage: stored.stage.rawValue, step: step,
            data: options.data, split: options.split, images: imageCount,
            meanLogits: EvaluationReport.MeanLogits(
                top1Count: mean.top1[0], top1: mean.accuracy(1), top5Count: mean.top5[0],
                top5: mean.topFive(1)),
            policies: entries)
    }

    /// The table for people.
    public func table(_ report: EvaluationReport) -> String {
        report.table(order: policies, counts: options.glimpses)
    }

    /// Writes `results.json` and a contact sheet of each policy.
    public func write(_ report: EvaluationReport, to folder: String) throws -> [String] {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw CheckpointError.unwritable(
                path: folder, reason: (error as NSError).localizedDescription)
        }
        var paths = ["\(folder)/results.json"]
        try AtomicFile.write(paths[0], text: report.json(isPretty: true) + "\n")
        for policy in policies {
            guard let sightings = sightings[policy] else { continue }
            let path = "\(folder)/glimpses-\(policy.rawValue).png"
            try ContactSheet(
                sightings, glimpses: min(options.picturedGlimpses, options.glimpses.most),
                geometry: geometry, classes: classes
            ).write(to: path)
            paths.append(path)
        }
        return paths
    }
}
