import Checkpoints
import Collectives
import Configuration
import Evaluation
import Foundation
import Images
import Layers
import SaccaderModel
import Tensors

/// A run: the stages in their order, from the newest checkpoint on.
public final class Trainer {
    let configuration: RunConfiguration
    let communicator: any Communicator
    let model: Saccader<Float>
    let store: ParameterStore
    let pool: ThreadPool
    let data: ImageFolder
    private let options: TrainingOptions
    private let stages: [StageName]
    private let reporter: Reporter
    private let scorer: DevelopmentScorer
    private let stopRequest: StopRequest

    /// Reads the settings, lists the images (making the demonstration's if they are missing) and
    /// makes the model; writes nothing else.
    public init(_ options: TrainingOptions, communicator: any Communicator) throws {
        self.options = options
        stopRequest = StopRequest(timeLimit: options.timeLimit)
        self.communicator = communicator
        var configuration = try RunConfiguration.read(
            options.configurationPath.map { .file($0) } ?? .demonstration,
            overrides: options.overrides)
        stages = try Self.stages(options.stages)
        reporter = Reporter(isFirstRank: communicator.rank == 0, isQuiet: options.isQuiet)
        if configuration.data.path.isEmpty {
            let parent = (options.output as NSString).deletingLastPathComponent
            configuration.data.path = parent.isEmpty ? "demo-data" : "\(parent)/demo-data"
            try Self.makeDemonstration(
                configuration, communicator: communicator, reporter: reporter)
        }
        self.configuration = configuration
        data = try ImageFolder(
            configuration.data.path, configuration: configuration.data, seed: configuration.seed)
        try Self.requireFit(configuration, data: data, ranks: communicator.size)
        MatrixMultiply.useOneThread()
        pool = ThreadPool(
            threadCount: options.threadCount ?? Cores.share(ofRanks: communicator.size))
        model = Saccader(configuration.model)
        store = ParameterStore(layout: model.layout, seed: configuration.seed)
        scorer = DevelopmentScorer(
            configuration: configuration, model: model, store: store, pool: pool,
            images: data.development, communicator: communicator)
    }

    /// Trains, resuming as the options say.
    public func run() throws {
        let folder =
            communicator.rank == 0
            ? RunFolder(options.output, keep: configuration.checkpoint.keep) : nil
        let start = try ResumePoint.find(
            options.resume, folder: folder, communicator: communicator, output: options.output,
            warn: { reporter.say($0) })
        if let start { try store.load(start.checkpoint) }
        if let folder {
            try folder.create()
            try AtomicFile.write(
                "\(options.output)/config.yaml", text: configuration.tree().yaml())
            if start != nil { try folder.recallBest() }
        }
        let log =
            communicator.rank == 0
            ? try MetricsLog(
                "\(options.output)/metrics.jsonl", resumingAt: start?.position) : nil
        reporter.describe(self, start: start?.position)
        for stage in stages {
            if let start, stage < start.position.stage { continue }
            let isResumed = start?.position.stage == stage
            try train(
                stage, from: isResumed ? start : nil, folder: folder, log: log)
        }
    }

    /// Checks everything that a run needs, prints the resolved settings, trains nothing.
    public func validate() throws {
        var bytes = 0
        for stage in stages {
            let trainer = try stageTrainer(stage, firstStep: Int.max / 2)
            bytes = max(bytes, trainer.workspaceByteCount + 4 * trainer.optimizer.range.count)
        }
        let parameters = 2 * store.allValues.count + store.allStatistics.count
        reporter.describeValidation(self, byteCount: bytes + 4 * parameters)
    }

    private func stageTrainer(_ stage: StageName, firstStep: Int) throws -> StageTrainer {
        try StageTrainer(
            stage, configuration: configuration, model: model, store: store,
            images: data.training, pool: pool, communicator: communicator, firstStep: firstStep)
    }

    /// Trains one stage to its end.
    private func train(
        _ stage: StageName, from start: ResumePoint?, folder: RunFolder?, log: MetricsLog?
    ) throws {
        let first = start?.position.step ?? 0
        let trainer = try stageTrainer(stage, firstStep: first)
        if let start { try trainer.optimizer.load(start.checkpoint, store: store) }
        let last = min(trainer.totalSteps, options.maximumSteps ?? .max)
        let progress = reporter.start(stage, first: first, last: last)
        var savedAt = Date()
        for step in first..<max(first, last) {
            let (report, seconds) = try Stopwatch.time { try trainer.step(step) }
            let done = step + 1
            progress.show(report, step: done, seconds: seconds)
            let ends = done == last
            if done % configuration.log.everySteps == 0 || ends {
                try log?.write(report.fields(stage, step: done, trainer, seconds: seconds))
            }
            var accuracy: Double?
            if isScored(step: done, of: trainer) || ends {
                accuracy = try scorer.score(stage)
                progress.showScore(accuracy, step: done)
                if let accuracy {
                    try log?.write(report.scoreFields(stage, step: done, trainer, accuracy))
                }
            }
            let reason = try stopRequest.agreed(communicator)
            if accuracy != nil || ends || reason != nil || isDue(step: done, savedAt: savedAt) {
                try folder?.save(
                    header(stage, step: done, trainer, accuracy),
                    arrays: store.checkpointArrays() + trainer.optimizer.arrays(store: store))
                savedAt = Date()
            }
            if let reason, !(ends && stage == stages.last) {
                progress.finish()
                throw TrainingError.stopped(
                    reason: reason.description,
                    checkpoint: CheckpointFolder.name(stage: stage.rawValue, step: done))
            }
        }
        progress.finish()
    }

    private func isScored(step: Int, of trainer: StageTrainer) -> Bool {
        let interval = configuration.evaluation.everyEpochs * trainer.stepsPerEpoch
        return interval > 0 && step % interval == 0
    }

    private func isDue(step: Int, savedAt: Date) -> Bool {
        let settings = configuration.checkpoint
        if settings.everySteps > 0 && step % settings.everySteps == 0 { return true }
        return settings.everyMinutes > 0
            && Date().timeIntervalSince(savedAt) >= settings.everyMinutes * 60
    }

    private func header(
        _ stage: StageName, step: Int, _ trainer: StageTrainer, _ accuracy: Double?
    ) throws -> CheckpointHeader {
        CheckpointHeader(
            config: try configuration.tree().json(), stage: stage.rawValue, step: step,
            epoch: step / trainer.stepsPerEpoch, samples: trainer.samples(after: step),
            seed: Int(truncatingIfNeeded: configuration.seed), worldSize: communicator.size,
            program: Program.version, developmentAccuracy: accuracy)
    }
}
