import Checkpoints
import Foundation
import Images
import SaccaderModel
import Tensors

/// Checkpoints on one set of images.
public final class EvaluationRun {
    let options: EvaluationOptions
    let checkpoints: [OpenedCheckpoint]
    let policies: [Policy]
    let glimpses: GlimpseList
    let classes: [String]
    let images: ImageSet
    let places: KnownPlaces?
    /// Each checkpoint's counts, after `run`.
    private(set) var scores: [Scores] = []
    let pool: ThreadPool
    private let batchSize: Int
    private let subsetCount: Int
    private let occluder: Occluder?

    /// Opens checkpoints and images and refuses what does not fit together.
    public init(_ options: EvaluationOptions) throws {
        self.options = options
        checkpoints = try options.checkpoints.map {
            try OpenedCheckpoint($0, imageSize: options.imageSize)
        }
        guard let first = checkpoints.first else {
            throw EvaluationError("no checkpoint: give at least one")
        }
        for other in checkpoints.dropFirst() { try Self.requireLikeness(first, other) }
        policies = try Self.policies(options, checkpoints: checkpoints)
        let (dataset, all) = try ImageDataset.subset(
            options.split, of: options.data, configuration: first.settings.data,
            seed: first.settings.seed)
        let words = try dataset.folder.map { try ClassWords(folder: $0) }
        let names = zip(dataset.classes, dataset.words).map { name, known in
            known == name ? words?.word(name) ?? name : String(known.prefix { $0 != "," })
        }
        classes = (first.settings.data.backgroundClass ? ["background"] : []) + names
        if classes.count != first.settings.model.classes {
            throw EvaluationError(
                "\(options.data): has \(classes.count) classes"
                    + (first.settings.data.backgroundClass ? " with the background" : "")
                    + ", but \(first.provenance.path) was trained on "
                    + "\(first.settings.model.classes); give --data the folder with its classes",
                exitCode: .badData)
        }
        let chosen = PictureChoice.spread(
            Array(all.entries.indices), options.limit ?? all.entries.count)
        images = all.picking(chosen)
        subsetCount = all.entries.count
        let locations = first.geometry.locationCount
        glimpses = try options.glimpses ?? GlimpseList("1...\(min(20, locations))")
        if glimpses.most > locations {
            throw EvaluationError(
                "--glimpses: \(glimpses.most) is more than the model's "
                    + "\(locations) locations; ask for at most that many")
        }
        occluder = try options.occlusionClassifier.map { try Occluder(path: $0) }
        try occluder?.requireLikeness(first.settings, of: first.provenance.path)
        let soft = checkpoints.first { $0.settings.model.cell.soft }
        if let soft, options.attack != nil {
            throw EvaluationError(
                "--attack: \(soft.provenance.path) has soft attention; attacks follow gradients "
                    + "through a hard one's logits alone: leave --attack out")
        }
        places = try dataset.folder.flatMap { try KnownPlaces(folder: $0) }
        batchSize = min(options.batchSize, images.entries.count)
        try Self.requireMemory(first, images: batchSize)
        MatrixMultiply.useOneThread()
        pool = ThreadPool(threadCount: options.threadCount)
    }

    /// Refuses a batch of which one layer's values alone are larger than the host's memory.
    private static func requireMemory(_ checkpoint: OpenedCheckpoint, images: Int) throws {
        let settings = checkpoint.settings
        let problem = HostMemory.problem(
            images: images, imageSize: settings.data.imageSize,
            channels: settings.model.representation.stemChannels)
        guard let problem else { return }
        throw EvaluationError(
            "--batch-size: \(problem); give fewer, or a smaller --image-size")
    }

    private static func requireLikeness(_ a: OpenedCheckpoint, _ b: OpenedCheckpoint) throws {
        func require<Value: Equatable>(_ what: String, _ value: (OpenedCheckpoint) -> Value) throws
        {
            let (left, right) = (value(a), value(b))
            if left == right { return }
            throw EvaluationError(
                "\(b.provenance.path): has \(what) \(right), but \(a.provenance.path) has \(left); "
                    + "a mean needs checkpoints of like models: evaluate these apart")
        }
        try require("the stage") { $0.stored.stage.rawValue }
        try require("the number of classes") { $0.settings.model.classes }
        try require("soft attention") { $0.settings.model.cell.soft }
        try require("the image size") { $0.settings.data.imageSize }
        try require("the number of locations") { $0.geometry.locationCount }
        try require("the receptive field") { $0.geometry.receptiveField }
        try require("data.backgroundClass") { $0.settings.data.backgroundClass }
        try require("data.centralCropMargin") { $0.settings.data.centralCropMargin }
    }

    private static func policies(
        _ options: EvaluationOptions, checkpoints: [OpenedCheckpoint]
    ) throws -> [Policy] {
        let untrained = checkpoints.first { !$0.isAttentive }
        guard let asked = options.policies else {
            return Policy.allCases.filter { untrained == nil || !$0.isLearned }
        }
        if let untrained, asked.contains(.learned) {
            throw EvaluationError(
                "\(untrained.provenance.path): of stage representation, it has no trained "
                    + "attention for the policy \"learned\"; leave it out of --policies or give a "
                    + "checkpoint of stage location or joint")
        }
        return asked
    }

    /// How many images will be looked at, each checkpoint's counted.
    public var imageCount: Int { images.entries.count * checkpoints.count }

    /// T of the last line and the pictures.
    var headlineGlimpses: Int {
        let trained = checkpoints.first?.trainedGlimpses ?? glimpses.most
        return glimpses.counts.last { $0 <= trained } ?? glimpses.counts[0]
    }

    /// T on pictures.
    var picturedGlimpses: Int {
        min(options.picturedGlimpses ?? headlineGlimpses, glimpses.most)
    }

    func evaluator(_ checkpoint: OpenedCheckpoint, batchSize: Int) throws -> Evaluator {
        var settings = checkpoint.settings
        // Decoding ahead of the network must not hold up the threads.
        settings.data.workers = max(settings.data.workers, options.threadCount)
        return try Evaluator(
            model: checkpoint.stored.model, store: checkpoint.stored.store, settings: settings,
            pool: pool, policies: policies, glimpses: glimpses.most, draws: options.draws,
            verdictGlimpses: picturedGlimpses, batchSize: batchSize, occluder: occluder,
            occlusionGlimpses: glimpses.counts)
    }

    /// Looks at all images, together with the other ranks.
    ///
    /// - Parameter progress: Told how many are done, those of other ranks estimated.
    public func run(
        _ share: RankShare = .alone, progress: (Int) -> Void = { _ in }
    ) throws -> EvaluationReport {
        let count = images.entries.count
        for (index, checkpoint) in checkpoints.enumerated() {
            var part = try evaluator(checkpoint, batchSize: batchSize).scores(
                images, range: share.part(count), places: places
            ) { progress(index * count + min(count, $0 * share.count)) }
            try part.sum(over: share)
            scores.append(part)
            progress((index + 1) * count)
        }
        return report()
    }

    private func report() -> EvaluationReport {
        let first = checkpoints[0]
        var report = EvaluationReport(
            checkpoint: first.provenance.path, stage: first.provenance.stage,
            step: first.provenance.step, data: options.data, split: options.split,
            images: images.entries.count, classes: classes.count,
            imageSize: first.settings.data.imageSize, program: Program.version,
            headlineGlimpses: headlineGlimpses,
            meanLogits: EvaluationReport.MeanLogits(scores.map(\.meanLogits)),
            policies: EvaluationReport.Entry.all(
                scores, policies: policies, counts: glimpses.counts),
            checkpoints: zip(checkpoints, scores).map { checkpoint, scores in
                EvaluationReport.CheckpointPart(
                    provenance: checkpoint.provenance,
                    meanLogits: EvaluationReport.MeanLogits([scores.meanLogits]),
                    policies: EvaluationReport.Entry.all(
                        [scores], policies: policies, counts: glimpses.counts),
                    occlusion: occlusion([scores]))
            })
        report.subsetImages = subsetCount
        report.draws = policies.contains(.random) ? options.draws : nil
        report.occlusion = occlusion(scores)
        report.occlusion?.provenance = occluder?.provenance
        // All T, also those not asked for, so that the interpolation has near neighbours.
        let full = scores.map {
            EvaluationReport.Entry.all(
                [$0], policies: policies, counts: Array(1...glimpses.most))
        }
        report.equalCoverage = EqualCoverage.all(
            full.map { $0.mapValues { $0.map(\.seen) } }, counts: glimpses.counts)
        return report
    }

    private func occlusion(_ scores: [Scores]) -> Occlusion? {
        occluder.flatMap { Occlusion(scores, classifier: $0.path) }
    }

    /// The table for people, and the line that programs look for.
    public func text(_ report: EvaluationReport) -> String {
        report.table(order: policies, counts: glimpses)
    }
}
