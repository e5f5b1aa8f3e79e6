import Collectives
import Families
import Images
import Layers
import Models
import Tensors

/// One stage in training: its plan, its images and its steps.
final class StageTrainer {
    let stage: Stage
    /// The number of steps done when the stage is.
    let lastStep: Int
    fileprivate let settings: any StageSettings
    private let seed: UInt64
    private let images: ImageSet
    private let activity: Activity
    private var trainingStep: TrainingStep
    /// Plans the step of one of the stage's parts.
    private let plan: (any StageSettings) throws -> any Objective
    /// The part that is planned.
    private var part: Int
    private let schedule: LearningRateSchedule
    fileprivate let batches: BatchSchedule
    private let loader: BatchLoader
    private let store: ParameterStore
    private let pool: ThreadPool
    /// The moving average of the weights, where one is kept.
    let average: WeightAverage?

    /// Plans the stage from where it is.
    init(
        _ stage: Stage, configuration: RunConfiguration, precision: Precision,
        model: any ModelFamily,
        store: ParameterStore, images: ImageSet, pool: ThreadPool,
        communicator: any Communicator, activity: Activity, from origin: StagePosition,
        classWeights: [Double]
    ) throws {
        self.stage = stage
        (self.store, self.pool) = (store, pool)
        settings = configuration.stages[stage]
        seed = configuration.seed
        average = WeightAverage(settings.ema, store: store)
        self.images = images
        self.activity = activity
        let batches = BatchSchedule(
            stage: stage, imageCount: images.entries.count, settings: settings, seed: seed,
            rank: communicator.rank, rankCount: communicator.size, origin: origin)
        self.batches = batches
        lastStep = batches.lastStep
        schedule = LearningRateSchedule(
            peak: settings.learningRate,
            warmupSteps: Int((settings.warmupEpochs * Double(batches.stepsPerEpoch)).rounded()),
            totalSteps: batches.plannedSteps)
        let capacity = batches.capacity
        plan = {
            try model.objective(
                stage, settings: $0,
                plan: StepPlan(
                    precision: precision, store: store, pool: pool,
                    imageCapacity: capacity.images, shardCapacity: capacity.shards,
                    classWeights: classWeights))
        }
        part = batches.part(before: origin.step)
        trainingStep = TrainingStep(
            stage: stage, settings: settings, objective: try plan(settings.parts[part]),
            optimizer: Optimizer(stage: stage, settings: settings, store: store),
            synchronizesNorms: model.synchronizesNorms, store: store, pool: pool,
            communicator: communicator)
        let last = lastStep
        loader = BatchLoader(
            images, configuration: configuration.data.forModel(model), seed: seed
        ) { number in
            let step = origin.step + number
            return step < last ? batches.request(step: step) : nil
        }
    }

    /// The stage's parameters and their momentum.
    var optimizer: Optimizer { trainingStep.optimizer }

    /// One step: every rank takes its part of the global batch, and all end with the same numbers.
    func step(_ step: Int) throws -> StepReport {
        let (batch, dataWait) = try Stopwatch.time { try nextBatch(step) }
        let part = batches.part(before: step)
        if part != self.part {
            self.part = part
            trainingStep.objective = try plan(settings.parts[part])
        }
        var report = try trainingStep(
            batch, layout: batches.layout(step: step),
            learningRate: schedule.rate(step: batches.position(before: step)),
            number: step,
            name: { images.entries[batches.request(step: step).entries[$0]].name })
        report.dataWaitSeconds = dataWait
        average?.update(store: store, pool: pool)
        return report
    }

    private func nextBatch(_ step: Int) throws -> TrainingBatch {
        guard let images = try activity.during(.loadingImages, { try loader.next() }) else {
            preconditionFailure("the loader ends with the stage's last step")
        }
        return TrainingBatch(
            images: images.images, patchImages: images.patchImages, labels: images.labels,
            glimpses: .sampled(
                seed: seed, stream: UInt64(stage.stream) << 32 | UInt64(step),
                identifiers: images.entries),
            progress: batches.position(before: step) / Double(max(1, batches.plannedSteps)))
    }
}

extension StageTrainer {
    /// How far the stage is when `step` steps are done.
    func progress(after step: Int) -> StagePosition { batches.progress(before: step) }

    /// The same in epochs.
    func epochs(after step: Int) -> Double {
        batches.position(before: step) / Double(batches.stepsPerEpoch)
    }
}
