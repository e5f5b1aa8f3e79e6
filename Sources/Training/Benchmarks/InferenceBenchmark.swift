import Collectives
import Evaluation
import Foundation
import Layers
import SaccaderModel
import Tensors

/// Times the evaluation forward of the whole model on made-up images: representation network,
/// attention, mixing and the cell's glimpses, as `saccader-eval` runs it, without files.
public final class InferenceBenchmark {
    private let configuration: RunConfiguration
    private let precision: Precision
    private let communicator: any Communicator
    private let pool: ThreadPool
    private let layout: ShardLayout
    private let images: [Float]
    private let look: ([Float]) throws -> Void

    /// Plans the forward pass.
    ///
    /// - Parameters:
    ///   - configurationPath: YAML; nil: the demonstration.
    ///   - batchSize: Images of all ranks together.
    ///   - glimpses: How far the learned policy is followed.
    ///   - threadCount: Of each rank; nil: its share of the cores.
    public init(
        configurationPath: String?, overrides: [String], batchSize: Int, glimpses: Int,
        threadCount: Int?, communicator: any Communicator
    ) throws {
        let configuration = try RunConfiguration.read(
            configurationPath.map { .file($0) } ?? .demonstration, overrides: overrides)
        let geometry = Geometry(
            configuration.model.representation, imageSize: configuration.data.imageSize)
        guard glimpses <= geometry.locationCount else {
            throw EvaluationError(
                "--glimpses is \(glimpses): an image has \(geometry.locationCount) locations")
        }
        self.configuration = configuration
        self.communicator = communicator
        MatrixMultiply.useOneThread()
        precision = try configuration.precision.agreed(communicator)
        if communicator.rank == 0,
            let warning = configuration.precision.warning(agreed: precision)
        {
            FileHandle.standardError.write(Data("\(warning)\n".utf8))
        }
        let pool = ThreadPool(threadCount: threadCount ?? Cores.share(ofRanks: communicator.size))
        let layout = ShardLayout(
            imageCount: batchSize, shardSize: 1, rank: communicator.rank,
            rankCount: communicator.size)
        (self.pool, self.layout) = (pool, layout)
        images = BatchSource.pixels(layout.images, configuration: configuration)
        func plan<Element: StorageElement>(_: Element.Type) throws -> ([Float]) throws -> Void {
            let model = Saccader<Element>(configuration.model)
            let inference = try Inference(
                model, store: ParameterStore(layout: model.layout, seed: configuration.seed),
                pool: pool, imageSize: configuration.data.imageSize,
                imageCapacity: layout.images.count, shardSize: Evaluator.shardSize,
                glimpses: glimpses)
            return { _ = try inference($0, imageCount: layout.images.count) }
        }
        look = precision == .bfloat16 ? try plan(BFloat16.self) : try plan(Float.self)
    }

    /// Looks at the images `count` times after once that does not count.
    public func run(count: Int) throws -> InferenceMeasurement {
        let matrix = MatrixBenchmark(
            threadCount: pool.threadCount, precision: precision, communicator: communicator)
        var seconds: [Double] = []
        var cpuSeconds: [Double] = []
        for number in 0...count {
            try communicator.barrier()
            let usage = ProcessUsage()
            let (_, elapsed) = try Stopwatch.time { try look(images) }
            guard number > 0 else { continue }
            seconds.append(elapsed)
            cpuSeconds.append(ProcessUsage().cpuSeconds - usage.cpuSeconds)
        }
        let peakByteCount = ProcessUsage().peakByteCount
        let peakRate = max(try matrix.peakRate(), try matrix.peakRate())
        let operations = OperationCount(
            configuration.model, imageSize: configuration.data.imageSize)
        return InferenceMeasurement(
            batch: layout.imageCount, ranks: communicator.size, threads: pool.threadCount,
            precision: precision.rawValue, seconds: seconds, cpuSeconds: cpuSeconds.median,
            gigaflopsPerImage: (operations.representation + operations.location) * 1e-9,
            peakGigaflops: peakRate, peakMemoryBytes: peakByteCount,
            library: MatrixMultiply.libraryDescription)
    }
}

/// What an inference benchmark found.
public struct InferenceMeasurement: Sendable {
    /// Images of all ranks.
    let batch: Int
    let ranks: Int
    /// Of each rank.
    let threads: Int
    let precision: String
    /// Of each pass.
    let seconds: [Double]
    /// Of all threads of this rank on a core, in the median pass.
    let cpuSeconds: Double
    /// Nominal: what the layers' definitions ask for.
    let gigaflopsPerImage: Double
    /// Of all threads and ranks multiplying large matrices.
    let peakGigaflops: Double
    /// Of this rank's process.
    let peakMemoryBytes: Int
    let library: String

    private var imagesPerSecond: Double { Double(batch) / seconds.median }
    private var gigaflopsPerSecond: Double { imagesPerSecond * gigaflopsPerImage }

    /// One JSON object on one line.
    public var json: String {
        var line = JSONLine()
        line.add("stage", "inference")
        line.add("batch", batch)
        line.add("ranks", ranks)
        line.add("threads", threads)
        line.add("precision", precision)
        line.add("imagesPerSecond", imagesPerSecond)
        line.add("gflopsPerSecond", gigaflopsPerSecond)
        line.add("sgemmPeakGflops", peakGigaflops)
        line.add("fractionOfPeak", gigaflopsPerSecond / peakGigaflops)
        line.add("peakMemoryBytes", peakMemoryBytes)
        line.add("stepSeconds", seconds.median)
        line.add("cpuSeconds", cpuSeconds)
        line.add("steps", seconds.count)
        line.add("library", library)
        return line.text
    }

    /// A few lines for a person.
    public var description: String {
        String(
            format: """
                inference, batch %d, %d ranks × %d threads, %@, %@
                %.3f s a pass (median of %d), %.2f images/s
                %.1f GFLOP/s of %.1f that large matrix products reach: %.0f %%
                %.2f GB of memory at most
                """,
            batch, ranks, threads, precision, library, seconds.median, seconds.count,
            imagesPerSecond, gigaflopsPerSecond, peakGigaflops,
            100 * gigaflopsPerSecond / peakGigaflops, Double(peakMemoryBytes) * 1e-9)
    }
}
