import Collectives
import Evaluation
import Foundation
import Layers
import SaccaderModel
import Tensors

/// Times the training step of a stage: what a run does, without checkpoints and log.
public final class StepBenchmark {
    private let configuration: RunConfiguration
    private let stage: StageName
    private let precision: Precision
    private let communicator: any Communicator
    private let pool: ThreadPool
    private let layout: ShardLayout
    private let model: TrainedModel
    private let step: TrainingStep
    private let batches: BatchSource

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
        configuration = try RunConfiguration.read(
            configurationPath.map { .file($0) } ?? .demonstration, overrides: overrides)
        guard let stage = try Trainer.stages(stageName).first else {
            throw EvaluationError("--stage: name one of \(StageName.allCases.map(\.rawValue))")
        }
        self.stage = stage
        self.communicator = communicator
        MatrixMultiply.useOneThread()
        precision = try configuration.precision.agreed(communicator)
        if communicator.rank == 0,
            let warning = configuration.precision.warning(agreed: precision)
        {
            FileHandle.standardError.write(Data("\(warning)\n".utf8))
        }
        pool = ThreadPool(threadCount: threadCount ?? Cores.share(ofRanks: communicator.size))
        let settings = configuration.stages[stage]
        layout = ShardLayout(
            imageCount: batchSize ?? settings.batchSize, shardSize: settings.shardSize,
            rank: communicator.rank, rankCount: communicator.size)
        model = TrainedModel(configuration.model, stages: [stage])
        let store = ParameterStore(layout: model.layout, seed: configuration.seed)
        step = TrainingStep(
            stage: stage,
            objective: try model.objective(
                stage, precision: precision, settings: settings, store: store, pool: pool,
                imageSize: configuration.data.imageSize,
                imageCapacity: layout.images.count, shardCapacity: layout.shards.count),
            optimizer: Optimizer(stage: stage, settings: settings, store: store),
            synchronizesNorms: configuration.model.batchNorm.sync, store: store, pool: pool,
            communicator: communicator)
        batches =
            if let data {
                try .files(
                    data, layout: layout, stage: stage, configuration: configuration)
            } else {
                .noise(layout.images, configuration: configuration)
            }
    }

    /// Runs `stepCount` steps after one that does not count.
    public func run(stepCount: Int) throws -> StepMeasurement {
        let matrix = MatrixBenchmark(
            threadCount: pool.threadCount, precision: precision, communicator: communicator)
        var cpuSeconds: [Double] = []
        var timings: [StepTiming] = []
        var waits: [RankWaits] = []
        for number in 0...stepCount {
            try communicator.barrier()
            let usage = ProcessUsage()
            let timing = try time(number: number)
            guard number > 0 else { continue }
            timings.append(timing)
            cpuSeconds.append(ProcessUsage().cpuSeconds - usage.cpuSeconds)
            waits.append(try RankWaits(timing.communication, communicator: communicator))
        }
        let peakByteCount = ProcessUsage().peakByteCount
        // Twice, as others may use the machine; after the steps, whose memory it would add to.
        let peakRate = max(try matrix.peakRate(), try matrix.peakRate())
        let operations = OperationCount(
            configuration.model, imageSize: configuration.data.imageSize)
        return StepMeasurement(
            stage: stage.rawValue, batch: layout.imageCount, ranks: communicator.size,
            threads: pool.threadCount, precision: precision.rawValue, timings: timings,
            waits: waits,
            cpuSeconds: cpuSeconds.median,
            gigaflopsPerImage: operations.training(stage) * 1e-9,
            peakGigaflops: peakRate, peakMemoryBytes: peakByteCount,
            library: MatrixMultiply.libraryDescription)
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
    var gradientByteCount: Int { step.optimizer.range.count * MemoryLayout<Float>.stride }
    /// Of this rank.
    var threadCount: Int { pool.threadCount }
    /// Images of all ranks.
    var imageCount: Int { layout.imageCount }
    /// The stage's name.
    var stageName: String { stage.rawValue }
    /// What multiplies, and how.
    var precisionName: String { precision.rawValue }
}

/// How long one step took.
struct StepTiming: Sendable {
    let seconds: Double
    /// Of them, waiting for images.
    let dataWaitSeconds: Double
    let communication: StepCommunication
}
