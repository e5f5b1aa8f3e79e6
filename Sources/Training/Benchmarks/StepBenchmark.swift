import Collectives
import Families
import Foundation
import Layers
import Models
import Tensors
import Terminal

/// Times the training step of a stage: what a run does, without checkpoints and log.
public final class StepBenchmark {
    private let setup: BenchmarkSetup
    private let stage: Stage
    private let layout: ShardLayout
    private let step: TrainingStep
    private let batches: BatchSource
    private let operationsPerImage: Double

    /// Plans the step.
    ///
    /// - Parameters:
    ///   - configurationPath: YAML; nil: the demonstration.
    ///   - batchSize: Images of all ranks together; nil: the stage's own.
    ///   - threadCount: Of each rank; nil: its share of the cores.
    ///   - data: A folder or index that images are read from; nil: they are made up.
    public init(
        configurationPath: String?, overrides: [String], stage stageName: String, batchSize: Int?,
        threadCount: Int?, data: String? = nil, communicator: any Communicator
    ) throws {
        guard let stage = try Trainer.stages(stageName).first else {
            throw RequestError("--stage: name one of \(Families.stageNames)")
        }
        self.stage = stage
        setup = try BenchmarkSetup(
            configurationPath, overrides: overrides, stage: stage, threadCount: threadCount,
            communicator: communicator)
        var configuration = setup.configuration
        let pool = setup.pool
        if let batchSize { configuration.stages[stage].batchSize = batchSize }
        let settings = configuration.stages[stage]
        layout = ShardLayout(
            imageCount: settings.batchSize, shardSize: settings.shardSize,
            rank: communicator.rank, rankCount: communicator.size)
        let model = configuration.model(of: stage)
        operationsPerImage = model.trainingOperations(stage, settings: settings)
        try MemoryCheck(
            plan: MemoryPlan(
                configuration, precision: setup.precision, model: model, pool: pool,
                imageCount: nil, scoredCount: 0, saves: false),
            communicator: communicator,
            key: { batchSize == nil ? "stages.\($0.name).batchSize" : "--batch" }
        ).requireMemory([stage])
        let store = ParameterStore(layout: model.layout, seed: configuration.seed)
        step = TrainingStep(
            stage: stage, settings: settings,
            objective: try model.objective(
                stage, settings: settings,
                plan: StepPlan(
                    precision: setup.precision, store: store, pool: pool,
                    imageCapacity: layout.images.count, shardCapacity: layout.shards.count)),
            optimizer: Optimizer(stage: stage, settings: settings, store: store),
            synchronizesNorms: model.synchronizesNorms, store: store, pool: pool,
            communicator: communicator)
        batches =
            if let data {
                try .files(
                    data, layout: layout, stage: stage, configuration: configuration)
            } else {
                .noise(layout.images, model: model, configuration: configuration)
            }
    }

    /// Runs `stepCount` steps after one that does not count.
    public func run(stepCount: Int) throws -> StepMeasurement {
        let (speed, timings) = try setup.time(
            stage.name, count: stepCount, imageCount: layout.imageCount,
            operationsPerImage: operationsPerImage
        ) { try time(number: $0) }
        return StepMeasurement(
            speed: speed, timings: timings,
            waits: try timings.map {
                try RankWaits($0.communication, communicator: setup.communicator)
            })
    }

    /// Times one step, from the wait for its images on.
    func time(number: Int, overlapsSums: Bool = true) throws -> StepTiming {
        let (timing, seconds) = try Stopwatch.time {
            let (batch, dataWait) = try Stopwatch.time { try batches.next() }
            let report = try step(
                batch, layout: layout, learningRate: 1e-3, number: number,
                overlapsSums: overlapsSums)
            return StepTiming(
                seconds: 0, dataWaitSeconds: dataWait, communication: report.communication)
        }
        return StepTiming(
            seconds: seconds, dataWaitSeconds: timing.dataWaitSeconds,
            communication: timing.communication)
    }

    /// Bytes of the gradients that the stage sums over ranks.
    var gradientByteCount: Int {
        step.optimizer.runs.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride
    }
    /// The threads of this rank.
    var threadCount: Int { setup.pool.threadCount }
    /// Images of all ranks.
    var imageCount: Int { layout.imageCount }
    /// The stage's name.
    var stageName: String { stage.name }
    /// What multiplies, and how.
    var precisionName: String { setup.precision.rawValue }
}

/// How long one step took.
struct StepTiming: Sendable {
    let seconds: Double
    /// The seconds of them spent waiting for images.
    let dataWaitSeconds: Double
    let communication: StepCommunication
}
