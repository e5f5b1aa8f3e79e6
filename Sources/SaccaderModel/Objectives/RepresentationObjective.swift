import Layers
import Models
import Tensors

/// Stage 1 (eq. 4): cross entropy of the softmax of the mean over all locations of the logits.
public struct RepresentationObjective<Element: StorageElement>: Objective {
    public let workspace: Workspace
    private let network: RepresentationNetwork<Element>
    private let buffers: RepresentationNetwork<Element>.Buffers
    private let gradients: RepresentationNetwork<Element>.Gradients
    private let loss: MeanLogitsLoss<Element>

    /// Plans a step of at most the given images and shards on this rank.
    ///
    /// - Parameters:
    ///   - freeze: The parts that stay untouched, by name; `fold` reads them.
    ///   - sparesMemory: As in `Workspace`; the bits are the same.
    public init(
        _ model: Saccader<Element>, freeze: [String] = [], imageSize: Int, imageCapacity: Int,
        shardCapacity: Int,
        threadCount: Int, sparesMemory: Bool? = nil, targets: ClassTargets = .plain
    ) {
        workspace = Workspace(
            imageCapacity: imageCapacity, shardCapacity: shardCapacity, keepsActivations: true,
            sparesMemory: sparesMemory)
        network = model.representation
        let frozen = FrozenParts(freeze, of: model.configuration)
        buffers = network.plan(imageSize: imageSize, frozen: frozen, in: workspace)
        loss = MeanLogitsLoss(buffers.logits, targets: targets, in: workspace)
        gradients = network.planBackward(buffers, frozen: frozen, in: workspace)
        workspace.commit(threadCount: threadCount)
    }

    /// Reads the frozen parts, which no step changes.
    func fold(_ store: ParameterStore, pool: ThreadPool) throws {
        // A plan alone has nothing to read yet.
        if store.isPlan { return }
        try network.fold(buffers, pass: Pass(reading: store, into: workspace, pool: pool))
    }

    public func forward(_ batch: TrainingBatch, pass: Pass) throws {
        buffers.images.load(batch.images, pass: pass)
        try network.forward(buffers, mode: .training, pass: pass)
    }

    public func loss(_ batch: TrainingBatch, pass: Pass) throws -> LossReport {
        try loss.report(batch.labels, gradient: gradients.logits, pass: pass)
    }

    public func backward(_ batch: TrainingBatch, _ report: LossReport, pass: Pass) throws {
        try network.backward(buffers, gradients, pass: pass)
    }

    public func trace(imageCount: Int) -> [TracedArray] {
        buffers.trace(imageCount: imageCount) + [loss.trace(imageCount: imageCount)]
    }
}

extension RepresentationNetwork.Buffers {
    /// The logits of one image, `[P, c]`; `scratch` holds them where storage is narrower.
    func logits(
        _ image: Int, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        logits.rows(ofImage: image, scratch: scratch)
    }
}
