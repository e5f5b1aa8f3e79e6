import Collectives
import Foundation
import Images
import Layers
import SaccaderModel
import Tensors

/// What one step came to.
struct StepReport: Sendable {
    let loss: LossReport
    let penalty: Optimizer.Penalty
    let learningRate: Double
    let gradientNorm: Double
    /// Images of all ranks.
    let imageCount: Int
    /// Waiting for and adding the gradients of all ranks.
    let allReduceSeconds: Double
    /// Waiting for images.
    let dataWaitSeconds: Double

    /// All terms of the loss.
    var total: Double { loss.total + penalty.representation + penalty.location }
}

/// Sums inside a step go through the run's ranks.
struct RankReducer: SumReducer {
    let communicator: any Communicator

    func sum(_ values: UnsafeMutableBufferPointer<Double>) throws {
        try communicator.sum(values)
    }
}

/// One stage in training: its plan, its images and its steps.
final class StageTrainer {
    let stage: StageName
    let optimizer: Optimizer
    let stepsPerEpoch: Int
    let totalSteps: Int
    fileprivate let settings: StageConfiguration
    private let seed: UInt64
    private let synchronizesNorms: Bool
    private let store: ParameterStore
    private let pool: ThreadPool
    private let communicator: any Communicator
    private let activity: Activity
    private let objective: any Objective
    private let schedule: LearningRateSchedule
    fileprivate let batches: BatchSchedule
    private let loader: BatchLoader

    /// Plans the stage from step `firstStep` on.
    init(
        _ stage: StageName, configuration: RunConfiguration, model: Saccader<Float>,
        store: ParameterStore, images: ImageSet, pool: ThreadPool,
        communicator: any Communicator, activity: Activity, firstStep: Int
    ) throws {
        self.stage = stage
        settings = configuration.stages[stage]
        seed = configuration.seed
        synchronizesNorms = configuration.model.batchNorm.sync
        (self.store, self.pool, self.communicator) = (store, pool, communicator)
        self.activity = activity
        let batches = BatchSchedule(
            stage: stage, imageCount: images.entries.count, settings: settings, seed: seed,
            rank: communicator.rank, rankCount: communicator.size)
        self.batches = batches
        stepsPerEpoch = batches.stepsPerEpoch
        totalSteps = Int((settings.epochs * Double(stepsPerEpoch)).rounded())
        schedule = LearningRateSchedule(
            peak: settings.learningRate,
            warmupSteps: Int((settings.warmupEpochs * Double(stepsPerEpoch)).rounded()),
            totalSteps: totalSteps)
        let capacity = batches.capacity
        objective = ObjectiveFactory.make(
            stage, model: model, settings: settings, imageSize: configuration.data.imageSize,
            imageCapacity: capacity.images, shardCapacity: capacity.shards,
            threadCount: pool.threadCount)
        optimizer = Optimizer(stage: stage, settings: settings, store: store)
        let total = totalSteps
        loader = BatchLoader(images, configuration: configuration.data, seed: seed) { number in
            let step = firstStep + number
            return step < total ? batches.request(step: step) : nil
        }
    }

    /// Bytes that a step's activations, gradients and scratch take on this rank.
    var workspaceByteCount: Int { objective.workspace.byteCount }

    /// One step: every rank takes its part of the global batch, and all end with the same numbers.
    func step(_ step: Int) throws -> StepReport {
        let (batch, dataWait) = try Stopwatch.time { try nextBatch(step) }
        let layout = batches.layout(step: step)
        let pass = Pass(
            pool: pool, reducer: RankReducer(communicator: communicator), store: store,
            workspace: objective.workspace, shards: layout.localShards,
            globalImageCount: layout.imageCount, isFirstRank: communicator.rank == 0)
        try objective.forward(batch, pass: pass)
        // The loss and, in the joint stage, the baseline are means over all ranks' images.
        let loss = try objective.loss(batch, pass: pass)
        try objective.backward(batch, loss, pass: pass)
        let (_, allReduce) = try Stopwatch.time { try sumOverRanks() }
        let penalty = optimizer.addDecay(store: store)
        let gradientNorm = optimizer.gradientNorm(store: store)
        try requireFinite(loss, gradientNorm, step: step)
        let learningRate = schedule.rate(step: step)
        optimizer.update(store: store, learningRate: learningRate, pool: pool)
        return StepReport(
            loss: loss, penalty: penalty, learningRate: learningRate, gradientNorm: gradientNorm,
            imageCount: layout.imageCount, allReduceSeconds: allReduce, dataWaitSeconds: dataWait)
    }

    private func nextBatch(_ step: Int) throws -> TrainingBatch {
        guard let images = try activity.during(.loadingImages, { try loader.next() }) else {
            preconditionFailure("the loader ends with the stage's last step")
        }
        return TrainingBatch(
            images: images.images, labels: images.labels,
            glimpses: .sampled(
                seed: seed, stream: UInt64(stage.index) << 32 | UInt64(step),
                identifiers: images.entries))
    }

    /// Gradients are already divided by the global batch: their sum is the mean.
    private func sumOverRanks() throws {
        try communicator.sum(
            UnsafeMutableBufferPointer(rebasing: store.allGradients[optimizer.range]))
        guard !synchronizesNorms else { return }
        // Without synchronised norms each rank has followed its own images: the mean of all stays.
        try communicator.sum(store.allStatistics)
        for index in store.allStatistics.indices {
            store.allStatistics[index] /= Float(communicator.size)
        }
    }

    private func requireFinite(_ loss: LossReport, _ norm: Double, step: Int) throws {
        if !loss.total.isFinite {
            throw TrainingError.notFinite(stage: stage.rawValue, step: step, what: "the loss")
        }
        if !norm.isFinite {
            throw TrainingError.notFinite(stage: stage.rawValue, step: step, what: "a gradient")
        }
    }
}

/// Measures how long something takes.
enum Stopwatch {
    /// The result of `body` and its duration in seconds.
    static func time<Result>(_ body: () throws -> Result) rethrows -> (Result, Double) {
        let start = DispatchTime.now().uptimeNanoseconds
        let result = try body()
        return (result, Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9)
    }
}

extension StageTrainer {
    /// Images of all ranks that `step` steps have taken; an epoch's last batch may be short.
    func samples(after step: Int) -> Int {
        let rest = step % stepsPerEpoch * settings.batchSize
        return step / stepsPerEpoch * batches.imageCount + rest
    }
}
