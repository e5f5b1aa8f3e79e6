import Checkpoints
import Collectives
import Configuration
import Families
import Files
import Foundation
import Host
import Images
import Layers
import Models
import StoredModels
import Tensors

/// A run: the stages in their order, from the newest checkpoint on.
public final class Trainer {
    let configuration: RunConfiguration
    let communicator: any Communicator
    let model: any ModelFamily
    let store: ParameterStore
    let pool: ThreadPool
    /// The precision of the steps; scores are always taken in `float32`.
    let precision: Precision
    let data: ImageDataset
    /// What the logits stand for, in their order.
    let classes: [KnownClass]
    /// What checkpoints say of the images.
    let images: SeenImages
    let options: TrainingOptions
    let stages: [Stage]
    /// What this rank needs for each stage.
    let memory: [StageMemory]
    let reporter: Reporter
    let scorer: DevelopmentScorer
    let stopRequest: StopRequest
    /// The weights of the logits' classes in the cross entropy, for stages where they are not all
    /// 1.
    let classWeights: [Stage: [Double]]
    let activity: Activity
    private let watchdog: Watchdog
    /// The output folder, claimed; nil on other ranks than the first, and where nothing is trained.
    private let folder: RunFolder?
    /// Where the run goes on; nil: at its beginning.
    private let start: ResumePoint?

    /// Starts a run: its watchdog, its ear for signals, then the settings, the images (making the
    /// demonstration's if they are missing) and the model; writes nothing else.
    ///
    /// - Parameter onStall: Ends the job when no rank has moved on for the options' time, or when
    ///   one is gone; called on a thread of its own.
    public static func start(
        _ options: TrainingOptions, communicator: any Communicator,
        onStall: @escaping @Sendable (TrainingError) -> Never
    ) throws -> Trainer {
        let activity = Activity()
        let hosts = RankHosts()
        let communicator = WatchedCommunicator(
            base: communicator, activity: activity, hosts: hosts)
        // What the checkpoints, the statuses and the judgement of other ranks will need.
        try WorkerThread.requireThreads(8)
        let watchdog = Watchdog(
            activity, communicator: communicator, hosts: hosts, timeout: options.stallTimeout,
            report: { onStall(.rankLost($0)) })
        try watchdog.start()
        let stopRequest = StopRequest(timeLimit: options.timeLimit)
        // Where nothing is trained there will be nothing to save.
        if !options.onlyValidates { stopRequest.start() }
        return try Trainer(
            options, communicator: communicator, activity: activity, watchdog: watchdog,
            stopRequest: stopRequest)
    }

    private init(
        _ options: TrainingOptions, communicator: WatchedCommunicator, activity: Activity,
        watchdog: Watchdog, stopRequest: StopRequest
    ) throws {
        (self.options, self.communicator) = (options, communicator)
        (self.activity, self.watchdog, self.stopRequest) = (activity, watchdog, stopRequest)
        try RankAgreement.requireCommand(["train"], communicator: communicator)
        try watchdog.learnHosts()
        let stages = try Self.stages(options.stages)
        self.stages = stages
        if communicator.size > 1, let path = options.configurationPath {
            try ConfigurationFile.requireShared(path)
        }
        let tree = try activity.during(.readingSettings) {
            try RunConfiguration.tree(
                options.configurationPath.map { .file($0) } ?? .demonstration,
                overrides: options.overrides)
        }
        var configuration = try RunConfiguration.read(
            tree, for: stages, acceptsEdited: options.acceptsEdited)
        try Self.requireAgreement(configuration, options, communicator: communicator)
        reporter = Reporter(isFirstRank: communicator.rank == 0, isQuiet: options.isQuiet)
        if configuration.data.path.isEmpty {
            let parent = options.output.parentFolder
            configuration.data.path = parent.isEmpty ? "demo-data" : "\(parent)/demo-data"
            try Self.makeDemonstration(
                configuration, communicator: communicator, reporter: reporter,
                activity: activity)
        }
        let listed = try activity.during(.listingImages) { [configuration, activity] in
            try ImageDataset(
                configuration.data.path, configuration: configuration.data,
                seed: configuration.seed, onProgress: activity.tick)
        }
        try Self.requireAgreement(on: listed, communicator: communicator)
        folder =
            communicator.rank == 0 && !options.onlyValidates
            ? RunFolder(options.output, keep: configuration.checkpoint.keep) : nil
        start = try Self.resumePoint(
            options, stages: stages, folder: folder, communicator: communicator,
            reporter: reporter, activity: activity)
        let logits = try RunClasses(
            of: listed, configuration,
            count: tree.isGiven("model.classes") ? configuration.model(of: stages[0]).classes : nil,
            start: start)
        configuration.model.setClasses(logits.classes.count)
        (classes, data) = (logits.classes, listed.labelled(logits.labels))
        images = SeenImages(
            training: ListDigest(data.training), development: ListDigest(data.development))
        self.configuration = configuration
        try Self.requireFit(
            configuration, stages: stages, data: data, ranks: communicator.size)
        logits.warnings.forEach(reporter.warn)
        logits.choice.map(reporter.say)
        Self.tell(of: data, configuration, reporter)
        classWeights = try Self.classWeights(
            configuration, stages: stages, images: data.training, names: classes)
        MatrixMultiply.useOneThread()
        pool = ThreadPool(
            threadCount: options.threadCount ?? Cores.share(ofRanks: communicator.size))
        activity.watch(pool)
        let arithmetic = try RankArithmetic(communicator)
        precision = configuration.precision.agreed(arithmetic)
        for warning in [
            arithmetic.warning, configuration.precision.warning(arithmetic), pool.warning,
        ] {
            if let warning { reporter.warn(warning) }
        }
        model = configuration.model(of: stages[0])
        memory = try MemoryCheck(
            plan: MemoryPlan(
                configuration, precision: precision, model: model, pool: pool,
                imageCount: data.training.entries.count,
                scoredCount: configuration.evaluation.everyEpochs > 0
                    ? data.development.entries.count : 0, saves: true),
            communicator: communicator, key: { "stages.\($0.name).batchSize" }
        ).requireMemory(stages)
        // What is only validated takes no memory, unless a checkpoint is to be looked at.
        store =
            options.onlyValidates && options.initialWeights == nil
            ? ParameterStore(planning: model.layout)
            : ParameterStore(layout: model.layout, seed: configuration.seed)
        try Self.loadInitialWeights(
            options, start: start, into: store, classes: classes, reporter: reporter,
            activity: activity)
        scorer = DevelopmentScorer(
            configuration: configuration, model: model, store: store, pool: pool,
            images: data.development, communicator: communicator, activity: activity)
    }

    /// Trains, resuming as the options say.
    public func run() throws {
        defer { watchdog.end() }
        if let warning = stopRequest.warning { reporter.warn(warning) }
        let isOwn = start.map {
            ResumePoint.isInside($0.checkpoint.file.path, options.output)
        }
        if let start {
            if isOwn == true,
                let warning = try start.warning(
                    of: configuration, images: images, rest: rest(after: start))
            {
                reporter.warn(warning)
            }
            try store.load(start.checkpoint) { path in
                model.startsFrom(path, in: start.position.stage)
                    && (isOwn == true || !model.isFrozen(path))
            }
        }
        if isOwn != true { try loadLocator() }
        if let folder {
            try folder.create(warn: { reporter.warn($0) })
            try writeSettings()
            if start != nil {
                try folder.recallBest(on: images.development, warn: { reporter.warn($0) })
            }
        }
        // The output folder is there from here on, on every rank.
        try SharedFolder.require(options.output, communicator: communicator)
        try watchdog.join(output: options.output)
        if folder != nil, isOwn != true,
            let kept = try AtomicFile.setAside("\(options.output)/metrics.jsonl")
        {
            reporter.warn(
                "\(options.output)/metrics.jsonl belongs to a run that has no checkpoint here any "
                    + "more: kept as \(kept)")
        }
        let log =
            communicator.rank == 0
            ? try MetricsLog(
                "\(options.output)/metrics.jsonl", resumingAt: start?.position) : nil
        if isOwn == true, let start, let log,
            let warning = try start.warning(ofLogTo: log.lastPosition)
        {
            reporter.warn(warning)
        }
        reporter.describe(self, start: start?.position)
        let writer = folder.map { CheckpointWriter($0, log: log, activity: activity) }
        let figures = log.map { trainingLog($0, resumingAt: isOwn == true ? start?.position : nil) }
        let begin = Stopwatch.now
        defer { reporter.describe(writer, seconds: Stopwatch.now - begin) }
        var steps = 0
        for stage in stages {
            if let start, stage < start.position.stage { continue }
            let isResumed = start?.position.stage == stage
            steps += try train(
                stage, from: isResumed ? start : nil, writer: writer, log: figures)
        }
        if steps == 0, let start { reporter.tell(nothingToDo(after: start)) }
        try figures?.finish()
    }

    /// Checks everything that a run needs, prints the resolved settings, trains nothing.
    public func validate() throws {
        defer { watchdog.end() }
        try reporter.describeValidation(self)
        try watchdog.endHeartbeat()
    }

    func stageTrainer(
        _ stage: Stage, from origin: StagePosition = StagePosition()
    ) throws -> StageTrainer {
        try StageTrainer(
            stage, configuration: configuration, precision: precision, model: model,
            store: store, images: data.training, pool: pool, communicator: communicator,
            activity: activity, from: origin, classWeights: classWeights[stage] ?? [])
    }
}
