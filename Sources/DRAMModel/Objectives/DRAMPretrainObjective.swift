import Layers
import Models
import Tensors

/// The first stage: glimpses at places drawn uniformly, and cross entropy alone. Without a context,
/// and the location cell and the emission are left as they are.
///
/// Without it the policy would begin to learn from a classifier that is right by chance.
public struct DRAMPretrainObjective<Element: StorageElement>: Objective {
    public let workspace: Workspace
    private let model: DRAM<Element>
    private let unrolled: Unrolled<Element>
    private let gradients: Unrolled<Element>.Gradients
    private let loss: GlimpseLoss<Element>
    private let table: LossTable

    /// Plans a step of at most the given images and shards on this rank.
    public init(
        _ model: DRAM<Element>, settings: DRAMStageSettings, imageCapacity: Int,
        shardCapacity: Int, threadCount: Int, targets: ClassTargets = .plain
    ) {
        self.model = model
        workspace = Workspace(
            imageCapacity: imageCapacity * settings.samples, shardCapacity: shardCapacity,
            keepsActivations: true, joinsChunks: true)
        unrolled = Unrolled(model, settings: settings, followsPolicy: false, in: workspace)
        loss = GlimpseLoss(
            unrolled.logits, settings: settings, targets: targets, in: workspace)
        table = LossTable(columns: 2, in: workspace)
        gradients = unrolled.planBackward(
            classified: loss.classified, stop: .none, in: workspace)
        workspace.commit(threadCount: threadCount)
    }

    public func forward(_ batch: TrainingBatch, pass: Pass) throws {
        let limit = Double(model.geometry.limit)
        unrolled.fill(
            unrolled.places, batch.glimpses, pass: pass.repeated(unrolled.samples)
        ) { random in
            (limit * (2 * random.uniform() - 1), limit * (2 * random.uniform() - 1))
        }
        try unrolled.forward(batch.images, pass: pass) { _ in }
    }

    public func loss(_ batch: TrainingBatch, pass: Pass) throws -> LossReport {
        let total = try loss.total(batch.labels, pass: pass)
        let pass = pass.repeated(unrolled.samples)
        pass.forEachShard { shard, rows, scratch in
            let sums = table.cleared(shard: shard)
            for row in rows {
                let label = Int(batch.labels[row / unrolled.samples])
                sums[0] += loss.crossEntropy(row, label: label, scratch: scratch)
                sums[1] +=
                    loss.isRight(row, unrolled.glimpses - 1, label: label, scratch: scratch)
                    ? 1 : 0
            }
        }
        let sums = try table.sum(pass: pass)
        let count = Double(pass.globalImageCount)
        return LossReport(
            crossEntropy: sums[0] / (total * Double(unrolled.samples)),
            accuracy: sums[1] / count, weight: total)
    }

    public func backward(_ batch: TrainingBatch, _ report: LossReport, pass: Pass) throws {
        let trajectories = pass.repeated(unrolled.samples)
        loss.backward(
            batch.labels, report, into: gradients.logits, pass: trajectories)
        try unrolled.backward(gradients, images: batch.images, pass: pass)
    }

    public func trace(imageCount: Int) -> [TracedArray] { unrolled.trace(imageCount: imageCount) }
}
