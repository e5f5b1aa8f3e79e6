import Collectives
import Evaluation
import Foundation
import Layers
import SaccaderModel
import Tensors

/// Times the evaluation forward of the whole model on made-up images: representation network,
/// attention, mixing and the cell's glimpses, as `saccader-eval` runs it, without files.
public final class InferenceBenchmark {
    private let setup: BenchmarkSetup
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
        setup = try BenchmarkSetup(
            configurationPath, overrides: overrides, threadCount: threadCount,
            communicator: communicator)
        let (configuration, pool) = (setup.configuration, setup.pool)
        let geometry = Geometry(
            configuration.model.representation, imageSize: configuration.data.imageSize)
        guard glimpses <= geometry.locationCount else {
            throw EvaluationError(
                "--glimpses is \(glimpses): an image has \(geometry.locationCount) locations")
        }
        let layout = ShardLayout(
            imageCount: batchSize, shardSize: 1, rank: communicator.rank,
            rankCount: communicator.size)
        self.layout = layout
        try HostMemory.requireRoom(for: Saccader<Float>(configuration.model).layout)
        let problem = HostMemory.problem(
            images: layout.images.count, imageSize: configuration.data.imageSize,
            channels: configuration.model.representation.stemChannels)
        if let problem { throw EvaluationError("--batch: \(problem); give fewer") }
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
        look = setup.precision == .bfloat16 ? try plan(BFloat16.self) : try plan(Float.self)
    }

    /// Looks at the images `count` times after once that does not count.
    public func run(count: Int) throws -> InferenceMeasurement {
        let operations = setup.operations
        return InferenceMeasurement(
            speed: try setup.time(
                "inference", count: count, imageCount: layout.imageCount,
                operationsPerImage: operations.representation + operations.location
            ) { _ in try look(images) }.speed)
    }
}

/// What an inference benchmark found.
public struct InferenceMeasurement: Sendable {
    let speed: Speed

    /// One JSON object on one line.
    public var json: String { speed.line.text }

    /// A few lines for a person.
    public var description: String {
        "\(speed.head("inference", unit: "a pass"))\n\(speed.tail)"
    }
}
