import Collectives
import Evaluation
import Families
import Foundation
import Host
import Images
import Layers
import Models
import Tensors
import Terminal

/// Times the evaluation forward of the whole model on made-up images: representation network,
/// attention, mixing and the cell's glimpses, as `saccader-eval` runs it, without files.
public final class InferenceBenchmark {
    private let setup: BenchmarkSetup
    private let layout: ShardLayout
    private let images: ViewedImages
    private let viewer: any Viewer
    private let operationsPerImage: Double

    /// Plans the forward pass.
    ///
    /// - Parameters:
    ///   - configurationPath: YAML; nil: the demonstration.
    ///   - stageName: Of the family whose model looks, and after which it does.
    ///   - batchSize: Images of all ranks together.
    ///   - glimpses: How far the learned policy is followed.
    ///   - threadCount: Of each rank; nil: its share of the cores.
    public init(
        configurationPath: String?, overrides: [String], stage stageName: String, batchSize: Int,
        glimpses: Int, threadCount: Int?, communicator: any Communicator
    ) throws {
        let stage = try Trainer.stages(stageName)[0]
        let setup = try BenchmarkSetup(
            configurationPath, overrides: overrides, stage: stage, threadCount: threadCount,
            communicator: communicator)
        self.setup = setup
        let model = setup.configuration.model(of: stage)
        let isLearned = model.policies(after: stage).contains(.learned)
        let policies: [Policy: Int] = isLearned ? [.learned: 1] : [:]
        guard policies.isEmpty || glimpses <= model.glimpseLimit else {
            throw RequestError(
                "--glimpses is \(glimpses): the model can take \(model.glimpseLimit) of an image")
        }
        let layout = ShardLayout(
            imageCount: batchSize, shardSize: 1, rank: communicator.rank,
            rankCount: communicator.size)
        self.layout = layout
        try HostMemory.requireMemory(for: model.layout)
        let problem = HostMemory.problem(
            images: layout.images.count, imageSize: model.largestLayer.side,
            channels: model.largestLayer.channels)
        if let problem { throw RequestError("--batch: \(problem); give fewer") }
        func viewer(_ store: ParameterStore, images: Int) throws -> any Viewer {
            try model.viewer(
                ViewPlan(
                    precision: setup.precision, store: store, pool: setup.pool,
                    imageCapacity: images, shardSize: Evaluator.shardSize, glimpses: glimpses,
                    policies: policies, seed: setup.configuration.seed))
        }
        let planned = ParameterStore(planning: model.layout)
        try HostMemory.requireMemory(
            forImages: layout.images.count, option: "--batch", remedy: "more ranks on more hosts"
        ) {
            let pixels = BatchLoader.byteCount(
                images: $0, configuration: setup.configuration.data.forModel(model))
            return try viewer(planned, images: $0).byteCount + pixels.ofBatch + planned.byteCount
        }
        let seed = setup.configuration.seed
        images = ViewedImages(
            standardized: BatchSource.pixels(layout.images, side: model.imageSize, seed: seed),
            patchImages: BatchSource.patchPixels(layout.images, model: model, seed: seed),
            pixels: Array(repeating: [], count: layout.images.count),
            identifiers: Array(layout.images))
        self.viewer = try viewer(
            ParameterStore(layout: model.layout, seed: setup.configuration.seed),
            images: layout.images.count)
        operationsPerImage = model.viewingOperations(glimpses: isLearned ? glimpses : 0)
    }

    /// Looks at the images `count` times after once that does not count.
    public func run(count: Int) throws -> InferenceMeasurement {
        InferenceMeasurement(
            speed: try setup.time(
                "inference", count: count, imageCount: layout.imageCount,
                operationsPerImage: operationsPerImage
            ) { _ in try viewer(images, wantsMap: false) }.speed)
    }
}

/// What an inference benchmark found.
public struct InferenceMeasurement: Sendable {
    let speed: Speed

    /// One JSON object on one line.
    public var json: String { speed.line.json }

    /// A few lines for a person.
    public var description: String {
        "\(speed.head("inference", unit: "a pass"))\n\(speed.tail)"
    }
}
