import Checkpoints
import Foundation
import Host
import Images
import Models
import StoredModels
import Tensors
import Terminal

/// Checkpoints on one set of images.
public final class EvaluationRun {
    let options: EvaluationOptions
    let checkpoints: [OpenedCheckpoint]
    let policies: [Policy]
    let glimpses: GlimpseList
    /// What tables and pictures call the classes, in the order of the logits.
    let classes: [String]
    /// The classes' names: synsets or folders.
    let classNames: [String]
    /// The classes that a prediction may be.
    let compared: ComparedClasses
    /// What the user should know of the images, a line each.
    public let warnings: [String]
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
            try OpenedCheckpoint(
                $0, imageSize: options.imageSize, centralCropMargin: options.centralCropMargin,
                acceptsEdited: options.acceptsEdited)
        }
        guard let first = checkpoints.first else {
            throw RequestError("no checkpoint: give at least one")
        }
        try Self.requireGlimpses(options, first)
        for other in checkpoints.dropFirst() { try Self.requireLikeness(first, other) }
        policies = try Self.policies(options, checkpoints: checkpoints)
        let (dataset, found) = try ImageDataset.subset(
            options.split, of: options.data, configuration: first.settings.data,
            seed: first.settings.seed)
        let match = try ClassMatch(
            first.classes, classCount: first.model.classes,
            background: first.settings.data.backgroundClass, of: first.provenance.path,
            with: dataset, at: options.data)
        classes = match.classes.titles
        classNames = match.classes.map(\.name)
        let all = found.labelled(match.labels)
        var warnings = dataset.warnings + match.warnings
        if options.restrictsClasses {
            let present = Set(all.entries.indices.map { Int(all.label($0)) })
            compared = ComparedClasses(present, of: classes.count)
            warnings.append(
                "--restrict-classes: predictions are compared among the \(present.count) classes "
                    + "that the \(options.split) images have")
        } else {
            compared = .all
        }
        let chosen = PictureChoice.spread(
            Array(all.entries.indices), options.limit ?? all.entries.count)
        images = all.picking(chosen)
        subsetCount = all.entries.count
        let most = first.model.glimpseLimit
        glimpses = try options.glimpses ?? GlimpseList("1...\(max(1, min(20, most)))")
        if most > 0 && glimpses.most > most {
            throw RequestError(
                "--glimpses: \(glimpses.most) is more than the \(most) glimpses that the model can "
                    + "take of an image; ask for at most that many")
        }
        occluder = try options.occlusionClassifier.map {
            try Occluder(path: $0, acceptsEdited: options.acceptsEdited)
        }
        try occluder?.requireLikeness(
            first.settings, first.model, classes: first.classes, of: first.provenance.path)
        for checkpoint in checkpoints where options.attack != nil {
            guard let problem = checkpoint.model.attackProblem else { continue }
            throw RequestError(
                "--attack: \(checkpoint.provenance.path) \(problem): leave --attack out")
        }
        places = try dataset.folder.flatMap { try KnownPlaces(folder: $0) }
        batchSize = min(options.batchSize, images.entries.count)
        MatrixMultiply.useOneThread()
        pool = ThreadPool(threadCount: options.threadCount)
        self.warnings =
            checkpoints.compactMap(\.warning) + warnings + [pool.warning].compactMap { $0 }
        try requireMemory(first)
    }

    /// Refuses a batch that is larger than the memory, before any is taken.
    private func requireMemory(_ checkpoint: OpenedCheckpoint) throws {
        try checkpoint.requireMemory(images: batchSize)
        let numbers = checkpoints.reduce(0) { $0 + $1.stored.store.byteCount }
        try HostMemory.requireMemory(
            forImages: batchSize, option: "--batch-size", remedy: "a smaller --image-size"
        ) { images in
            try numbers
                + Evaluator.byteCount(
                    model: checkpoint.model, data: data(checkpoint),
                    seed: checkpoint.settings.seed, pool: pool, plan: plan(batchSize: images))
        }
    }

    /// Refuses what is asked of glimpses where a model takes none.
    private static func requireGlimpses(
        _ options: EvaluationOptions, _ checkpoint: OpenedCheckpoint
    ) throws(RequestError) {
        guard checkpoint.stored.policies.isEmpty else { return }
        for (option, isGiven) in [
            ("policies", options.policies != nil), ("glimpses", options.glimpses != nil),
            ("occlusion", options.occlusionClassifier != nil),
        ] where isGiven {
            throw RequestError(
                "--\(option): \(checkpoint.provenance.path) holds a "
                    + "\(checkpoint.model.familyName), which has no glimpses; leave --\(option) out "
                    + "or give a checkpoint of a model that looks at glimpses", exitCode: .badData)
        }
    }

    private static func requireLikeness(_ a: OpenedCheckpoint, _ b: OpenedCheckpoint) throws {
        func require<Value: Equatable>(_ what: String, _ value: (OpenedCheckpoint) -> Value) throws
        {
            let (left, right) = (value(a), value(b))
            if left == right { return }
            throw RequestError(
                "\(b.provenance.path): has \(what) \(right), but \(a.provenance.path) has \(left); "
                    + "a mean needs checkpoints of like models: evaluate these apart")
        }
        try require("the stage") { $0.stored.stage.name }
        try require("the number of classes") { $0.model.classes }
        if let place = a.classes?.firstDifference(from: b.classes) {
            try require("at logit \(place) the class") { $0.classes?[place].name ?? "" }
        }
        try require("the image size") { $0.settings.data.imageSize }
        for (index, fact) in a.model.description.likeness.enumerated() {
            try require(fact.what) { $0.model.description.likeness[index].value }
        }
        for (index, fact) in a.settings.data.likeness.enumerated() {
            try require(fact.key) { $0.settings.data.likeness[index].value }
        }
    }

    private static func policies(
        _ options: EvaluationOptions, checkpoints: [OpenedCheckpoint]
    ) throws -> [Policy] {
        // Checkpoints of one mean are of one stage.
        let possible = checkpoints.first?.stored.policies ?? []
        guard let asked = options.policies else { return possible }
        if let other = asked.first(where: { !possible.contains($0) }), let first = checkpoints.first
        {
            let stored = first.stored
            let later = stored.family.stages.map(\.stage).filter {
                stored.family.policies(after: $0).contains(other)
            }
            throw RequestError(
                "\(first.provenance.path): of stage \(stored.stage.name), it cannot follow the policy "
                    + "\"\(other.rawValue)\"; leave it out of --policies"
                    + (later.isEmpty
                        ? " (it follows \(possible.map(\.rawValue).joined(separator: ",")))"
                        : " or give a checkpoint of stage "
                            + later.map(\.name).joined(separator: " or ")))
        }
        return asked
    }

    /// How many images will be looked at, each checkpoint's counted.
    public var imageCount: Int { images.entries.count * checkpoints.count }

    /// T of the last line and the pictures.
    var headlineGlimpses: Int {
        let trained = checkpoints.first?.stored.trainedGlimpses ?? glimpses.most
        return glimpses.counts.last { $0 <= trained } ?? glimpses.counts[0]
    }

    /// T on pictures.
    var picturedGlimpses: Int {
        min(options.picturedGlimpses ?? headlineGlimpses, glimpses.most)
    }

    private func plan(batchSize: Int) -> Evaluator.Plan {
        var plan = Evaluator.Plan()
        (plan.policies, plan.glimpses, plan.draws) = (policies, glimpses.most, options.draws)
        (plan.verdictGlimpses, plan.batchSize) = (picturedGlimpses, batchSize)
        (plan.framing, plan.judgedGlimpses) = (options.framing, headlineGlimpses)
        (plan.occluder, plan.occlusionGlimpses) = (occluder, glimpses.counts)
        plan.compared = compared
        return plan
    }

    func evaluator(_ checkpoint: OpenedCheckpoint, batchSize: Int) throws -> Evaluator {
        try Evaluator(
            model: checkpoint.model, store: checkpoint.stored.store, data: data(checkpoint),
            seed: checkpoint.settings.seed, pool: pool, plan: plan(batchSize: batchSize))
    }

    /// How a checkpoint's images are read: decoding ahead of the network must not hold up the
    /// threads.
    func data(_ checkpoint: OpenedCheckpoint) -> DataConfiguration {
        var data = checkpoint.settings.data.forModel(checkpoint.model)
        data.workers = max(data.workers, options.threadCount)
        return data
    }

    /// Looks at all images, together with the other ranks.
    ///
    /// - Parameter progress: Told how many are done, those of other ranks estimated.
    public func run(
        _ share: RankShare = .alone, progress: (Int) -> Void = { _ in }
    ) throws -> EvaluationReport {
        let count = images.entries.count
        try share.requireSame(checkpoints, images, of: options.data)
        for (index, checkpoint) in checkpoints.enumerated() {
            var part: Scores
            do {
                part = try evaluator(checkpoint, batchSize: batchSize).scores(
                    images, range: share.part(count), places: places
                ) { progress(index * count + min(count, $0 * share.count)) }
            } catch let error as LogitsError {
                throw RequestError(
                    "\(checkpoint.provenance.path): \(error)", exitCode: .badData)
            }
            try part.sum(over: share)
            scores.append(part)
            progress((index + 1) * count)
        }
        return report()
    }

    private func report() -> EvaluationReport {
        let first = checkpoints[0]
        var report = EvaluationReport(
            checkpoint: first.provenance.path, family: first.model.familyName,
            stage: first.provenance.stage,
            step: first.provenance.step, data: options.data, split: options.split,
            images: images.entries.count, classes: compared.number(of: classes.count),
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
        report.resize = options.framing.rawValue
        report.centralCropMargin = first.settings.data.centralCropMargin
        report.coverageNote = first.model.description.coverageNote
        report.draws = policies.contains(.random) ? options.draws : nil
        report.classification = classification(report)
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

    private func classification(_ report: EvaluationReport) -> Classification? {
        Classification(
            scores.compactMap(\.outcomes), labels: labels, judged: report.judged,
            names: classNames, words: classes)
    }

    /// The images' labels.
    var labels: [Int] { images.entries.indices.map { Int(images.label($0)) } }

    private func occlusion(_ scores: [Scores]) -> Occlusion? {
        occluder.flatMap { Occlusion(scores, classifier: $0.path) }
    }

    /// The table for people, and the line that programs look for.
    public func text(_ report: EvaluationReport) -> String {
        report.table(order: policies, counts: glimpses)
    }
}
