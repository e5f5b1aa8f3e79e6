import Layers
import Models
import Tensors

/// Stage 2 (eq. 5): with the representation network frozen, the policy learns to visit the
/// locations in the order of their logits, teacher forced.
///
/// Where the frozen network's norms are in inference mode, nothing in it changes from step to step:
/// they are folded into its kernels once, when the stage is planned.
public struct LocationObjective<Element: StorageElement>: Objective {
    public let workspace: Workspace
    private let model: Saccader<Element>
    private let settings: SaccaderStageSettings
    private let representation: RepresentationNetwork<Element>.Buffers
    private let location: Saccader<Element>.LocationBuffers
    private let gradients: Saccader<Element>.LocationGradients
    private let runner: CellRunner<Element>
    private let table: LossTable

    /// Plans a step of at most the given images and shards on this rank.
    ///
    /// - Parameter store: Holds the representation network that stays frozen; what it has now is
    ///   what every step uses.
    public init(
        _ model: Saccader<Element>, settings: SaccaderStageSettings, store: ParameterStore,
        pool: ThreadPool, imageSize: Int, imageCapacity: Int, shardCapacity: Int
    ) throws {
        self.model = model
        self.settings = settings
        workspace = Workspace(
            imageCapacity: imageCapacity, shardCapacity: shardCapacity, keepsActivations: false,
            foldsNorms: settings.frozenNorm == .inference)
        let frozen = FrozenParts(settings.freeze, of: model.configuration)
        representation = model.representation.plan(
            imageSize: imageSize, frozen: frozen, in: workspace)
        workspace.foldsNorms = false
        workspace.keepsActivations = true
        location = model.planLocation(representation, frozen: frozen, in: workspace)
        runner = CellRunner(
            model.cell, features: location.features, glimpses: settings.glimpses, samples: 1,
            in: workspace)
        let shape = representation.logits.shape
        workspace.needScratch(
            shape.locations * (shape.channels + 3 + model.cell.channels) + shape.channels)
        table = LossTable(columns: 2, in: workspace)
        gradients = model.planLocationBackward(
            location, frozen: frozen, wantsInputs: false, in: workspace)
        workspace.commit(threadCount: pool.threadCount)
        // A plan alone has nothing to read yet.
        if store.isPlan { return }
        try model.fold(
            representation, location, pass: Pass(reading: store, into: workspace, pool: pool))
    }

    public func forward(_ batch: TrainingBatch, pass: Pass) throws {
        representation.images.load(batch.images, pass: pass)
        try model.representation.forward(representation, mode: settings.frozenNorm, pass: pass)
        try model.forwardLocation(location, mode: .training, pass: pass)
    }

    public func loss(_ batch: TrainingBatch, pass: Pass) throws -> LossReport {
        let shape = representation.logits.shape
        let (locations, classes) = (shape.locations, shape.channels)
        let glimpses = settings.glimpses
        pass.forEachShard { shard, images, scratch in
            let sums = table.cleared(shard: shard)
            for image in images {
                let metric = scratch + locations * classes
                let logits = representation.logits(image, scratch: scratch)
                LogitOrder.metric(
                    logits, locations: locations, classes: classes, order: settings.targetOrder,
                    into: metric, scratch: metric + locations)
                let targets = LogitOrder.largest(glimpses, of: metric, count: locations)
                runner.run(image, store: pass.store, scratch: scratch) { _, t, policy in
                    let agrees = Softmax.argmax(policy, count: locations) == targets[t]
                    sums[1] += agrees ? 1 : 0
                    return targets[t]
                }
                sums[0] += runner.negativeLogLikelihood(image, 0, scratch: scratch)
            }
        }
        let sums = try table.sum(pass: pass)
        let count = Double(pass.globalImageCount * glimpses)
        return LossReport(location: sums[0] / count, accuracy: sums[1] / count)
    }

    public func backward(_ batch: TrainingBatch, _ report: LossReport, pass: Pass) throws {
        let weight = 1 / Float(pass.globalImageCount * settings.glimpses)
        runner.backward(into: gradients.mixed, pass: pass) { _, _ in weight }
        try model.backwardLocation(location, gradients, pass: pass)
    }

    public func trace(imageCount: Int) -> [TracedArray] {
        representation.trace(imageCount: imageCount) + location.trace(imageCount: imageCount)
            + runner.trace(imageCount: imageCount, withSamples: false)
    }
}
