import Layers
import Models
import Tensors

/// The classifier's own stage: cross entropy.
public struct ClassifierObjective<Element: StorageElement>: Objective {
    public let workspace: Workspace
    private let network: Classifier<Element>
    private let buffers: Classifier<Element>.Buffers
    private let gradients: Classifier<Element>.Gradients
    private let loss: MeanLogitsLoss<Element>

    /// Plans a step of at most the given images and shards on this rank.
    ///
    /// - Parameter frozenCount: How many of the network's parts stay untouched, from the first on.
    public init(
        _ network: Classifier<Element>, frozenCount: Int = 0, imageSize: Int, imageCapacity: Int,
        shardCapacity: Int,
        threadCount: Int, targets: ClassTargets = .plain
    ) {
        self.network = network
        workspace = Workspace(
            imageCapacity: imageCapacity, shardCapacity: shardCapacity, keepsActivations: true)
        buffers = network.plan(
            imageSize: imageSize, frozenCount: frozenCount, in: workspace)
        loss = MeanLogitsLoss(buffers.logits, targets: targets, in: workspace)
        gradients = network.planBackward(buffers, in: workspace)
        workspace.commit(threadCount: threadCount)
    }

    public func forward(_ batch: TrainingBatch, pass: Pass) throws {
        load(batch, into: buffers.images, pass: pass)
        try network.forward(buffers, mode: .training, pass: pass)
    }

    private func load(_ batch: TrainingBatch, into images: Tensor<Element>, pass: Pass) {
        images.load(
            network.configuration.classifier.pixels.applied(to: batch.images), pass: pass)
    }

    public func loss(_ batch: TrainingBatch, pass: Pass) throws -> LossReport {
        try loss.report(batch.labels, gradient: gradients.logits, pass: pass)
    }

    public func backward(_ batch: TrainingBatch, _ report: LossReport, pass: Pass) throws {
        try network.backward(buffers, gradients, pass: pass) {
            load(batch, into: $0, pass: pass)
        }
    }

    public func trace(imageCount: Int) -> [TracedArray] {
        [
            TracedArray(
                "classifier/features", buffers.trunk.features.output, imageCount: imageCount),
            loss.trace(imageCount: imageCount),
        ]
    }
}
