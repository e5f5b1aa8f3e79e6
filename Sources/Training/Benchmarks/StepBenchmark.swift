import Collectives
import Evaluation
import Foundation
import Layers
import SaccaderModel
import Tensors

/// Times the training step of a stage on made-up images: what a run does, without files.
public final class StepBenchmark {
    private let configuration: RunConfiguration
    private let stage: StageName
    private let precision: Precision
    private let communicator: any Communicator
    private let pool: ThreadPool
    private let layout: ShardLayout
    private let model: TrainedModel
    private let step: TrainingStep
    private let batch: TrainingBatch

    /// Plans the step.
    ///
    /// - Parameters:
    ///   - configurationPath: YAML; nil: the demonstration.
    ///   - batchSize: Images of all ranks together; nil: the stage's own.
    ///   - threadCount: Of each rank; nil: its share of the cores.
    public init(
        configurationPath: String?, overrides: [String], stage stageName: String, batchSize: Int?,
        threadCount: Int?, communicator: any Communicator
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
            objective: model.objective(
                stage, precision: precision, settings: settings,
                imageSize: configuration.data.imageSize,
                imageCapacity: layout.images.count, shardCapacity: layout.shards.count,
                threadCount: pool.threadCount),
            optimizer: Optimizer(stage: stage, settings: settings, store: store),
            synchronizesNorms: configuration.model.batchNorm.sync, store: store, pool: pool,
            communicator: communicator)
        batch = Self.batch(layout.images, configuration: configuration)
    }

    /// Standardised noise: speed does not depend on what is in the images.
    private static func batch(
        _ images: Range<Int>, configuration: RunConfiguration
    ) -> TrainingBatch {
        let count = configuration.data.imageSize * configuration.data.imageSize * 3
        var pixels: [Float] = []
        pixels.reserveCapacity(images.count * count)
        for image in images {
            var random = CounterRandom(
                seed: configuration.seed, purpose: .augmentation, index: UInt64(image))
            for _ in 0..<count { pixels.append(Float(4 * random.uniform() - 2)) }
        }
        return TrainingBatch(
            images: pixels,
            labels: images.map { Int32($0 % configuration.model.classes) },
            glimpses: .sampled(seed: configuration.seed, stream: 0, identifiers: Array(images)))
    }

    /// Runs `stepCount` steps after one that does not count.
    public func run(stepCount: Int) throws -> StepMeasurement {
        let matrix = MatrixBenchmark(
            threadCount: pool.threadCount, precision: precision, communicator: communicator)
        var seconds: [Double] = []
        var waits: [Double] = []
        var cpuSeconds: [Double] = []
        for number in 0...stepCount {
            try communicator.barrier()
            let usage = ProcessUsage()
            let (report, elapsed) = try Stopwatch.time {
                try step(batch, layout: layout, learningRate: 1e-3, number: number)
            }
            guard number > 0 else { continue }
            seconds.append(elapsed)
            cpuSeconds.append(ProcessUsage().cpuSeconds - usage.cpuSeconds)
            waits.append(report.communication.gradientSeconds)
        }
        let peakByteCount = ProcessUsage().peakByteCount
        // Twice, as others may use the machine; after the steps, whose memory it would add to.
        let peakRate = max(try matrix.peakRate(), try matrix.peakRate())
        let operations = OperationCount(
            configuration.model, imageSize: configuration.data.imageSize)
        return StepMeasurement(
            stage: stage.rawValue, batch: layout.imageCount, ranks: communicator.size,
            threads: pool.threadCount, precision: precision.rawValue, seconds: seconds,
            cpuSeconds: cpuSeconds.median, allReduceSeconds: waits.median,
            gigaflopsPerImage: operations.training(stage) * 1e-9,
            peakGigaflops: peakRate, peakMemoryBytes: peakByteCount,
            library: MatrixMultiply.libraryDescription)
    }
}

/// What a step benchmark found.
public struct StepMeasurement: Sendable {
    let stage: String
    /// Images of all ranks.
    let batch: Int
    let ranks: Int
    /// Of each rank.
    let threads: Int
    let precision: String
    /// Of each step.
    let seconds: [Double]
    /// Of all threads of this rank on a core, in the median step.
    let cpuSeconds: Double
    /// The median wait for the sum of the gradients.
    let allReduceSeconds: Double
    /// Nominal: what the layers' definitions ask for.
    let gigaflopsPerImage: Double
    /// Of all threads and ranks multiplying large matrices.
    let peakGigaflops: Double
    /// Of this rank's process.
    let peakMemoryBytes: Int
    let library: String

    var imagesPerSecond: Double { Double(batch) / seconds.median }
    var gigaflopsPerSecond: Double { imagesPerSecond * gigaflopsPerImage }

    /// One JSON object on one line.
    public var json: String {
        var line = JSONLine()
        line.add("stage", stage)
        line.add("batch", batch)
        line.add("ranks", ranks)
        line.add("threads", threads)
        line.add("precision", precision)
        line.add("imagesPerSecond", imagesPerSecond)
        line.add("bestImagesPerSecond", Double(batch) / (seconds.min() ?? 0))
        line.add("gflopsPerSecond", gigaflopsPerSecond)
        line.add("sgemmPeakGflops", peakGigaflops)
        line.add("fractionOfPeak", gigaflopsPerSecond / peakGigaflops)
        line.add("peakMemoryBytes", peakMemoryBytes)
        line.add("stepSeconds", seconds.median)
        line.add("cpuSeconds", cpuSeconds)
        line.add("allReduceSeconds", allReduceSeconds)
        line.add("steps", seconds.count)
        line.add("library", library)
        return line.text
    }

    /// A few lines for a person.
    public var description: String {
        String(
            format: """
                stage %@, batch %d, %d ranks × %d threads, %@, %@
                %.3f s a step (median of %d), %.2f images/s
                %.1f GFLOP/s of %.1f that large matrix products reach: %.0f %%
                %.1f ms of a step wait for the sum over ranks; %.2f GB of memory at most
                """,
            stage, batch, ranks, threads, precision, library, seconds.median, seconds.count,
            imagesPerSecond, gigaflopsPerSecond, peakGigaflops,
            100 * gigaflopsPerSecond / peakGigaflops, 1000 * allReduceSeconds,
            Double(peakMemoryBytes) * 1e-9)
    }
}
