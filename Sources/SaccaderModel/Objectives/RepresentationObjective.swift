import Layers
import Tensors

/// Stage 1 (eq. 4): cross entropy of the softmax of the mean over all locations of the logits.
public struct RepresentationObjective<Element: StorageElement>: Objective {
    public let workspace: Workspace
    private let network: RepresentationNetwork<Element>
    private let buffers: RepresentationNetwork<Element>.Buffers
    private let gradients: RepresentationNetwork<Element>.Gradients
    private let table: LossTable
    private let prediction: Tensor<Float>

    /// Plans a step of at most the given images and shards on this rank.
    public init(
        _ model: Saccader<Element>, imageSize: Int, imageCapacity: Int, shardCapacity: Int,
        threadCount: Int
    ) {
        workspace = Workspace(
            imageCapacity: imageCapacity, shardCapacity: shardCapacity, keepsActivations: true)
        network = model.representation
        buffers = network.plan(imageSize: imageSize, in: workspace)
        let shape = buffers.logits.shape
        workspace.needScratch(shape.locations * shape.channels + shape.channels)
        table = LossTable(columns: 2, in: workspace)
        prediction = Tensor(Shape(imageCapacity, 1, 1, shape.channels), in: workspace.arena)
        gradients = network.planBackward(buffers, in: workspace)
        workspace.commit(threadCount: threadCount)
    }

    public func forward(_ batch: TrainingBatch, pass: Pass) throws {
        buffers.load(batch.images, pass: pass)
        try network.forward(buffers, mode: .training, pass: pass)
    }

    public func loss(_ batch: TrainingBatch, pass: Pass) throws -> LossReport {
        let shape = buffers.logits.shape
        let (locations, classes) = (shape.locations, shape.channels)
        // Of every logit at every location: 1/(images·locations) of the mean's gradient.
        let weight = 1 / Float(pass.globalImageCount * locations)
        pass.forEachShard { shard, images, scratch in
            let sums = table.cleared(shard: shard)
            let row = scratch + locations * classes
            for image in images {
                let mean = prediction.row(image)
                buffers.meanLogits(image, into: mean, scratch: scratch)
                let label = Int(batch.labels[image])
                row.update(from: mean, count: classes)
                let logSum = Softmax.apply(row, count: classes)
                sums[0] += logSum - Double(mean[label])
                sums[1] += Softmax.argmax(mean, count: classes) == label ? 1 : 0
                row[label] -= 1
                for index in 0..<classes { row[index] *= weight }
                for location in 0..<locations {
                    RowKernels.store(
                        row, count: classes,
                        into: gradients.logits.row(image * locations + location))
                }
            }
        }
        let sums = try table.sum(pass: pass)
        let count = Double(pass.globalImageCount)
        return LossReport(crossEntropy: sums[0] / count, accuracy: sums[1] / count)
    }

    public func backward(_ batch: TrainingBatch, _ report: LossReport, pass: Pass) throws {
        try network.backward(buffers, gradients, pass: pass)
    }

    public func trace(imageCount: Int) -> [TracedArray] {
        let classes = buffers.logits.shape.channels
        return buffers.trace(imageCount: imageCount) + [
            TracedArray(
                "prediction", [imageCount, classes],
                .floats(prediction.elements(imageCount * classes)))
        ]
    }
}

extension RepresentationNetwork.Buffers {
    /// The logits of one image, `[P, c]`; `scratch` holds them where storage is narrower.
    func logits(
        _ image: Int, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        let locations = logits.shape.locations
        return Activation(final: logits).rows(
            (image * locations)..<((image + 1) * locations), scratch: scratch)
    }

    /// The mean over all locations of an image's logits, `[c]`.
    func meanLogits(
        _ image: Int, into mean: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
    ) {
        let (locations, classes) = (logits.shape.locations, logits.shape.channels)
        let rows = logits(image, scratch: scratch)
        mean.update(repeating: 0, count: classes)
        RowKernels.addSums(rows, rows: locations, channels: classes, to: mean)
        for index in 0..<classes { mean[index] /= Float(locations) }
    }
}
