import Layers
import Models
import Tensors

/// Stage 3 with soft attention, an ablation: nothing is sampled, and all networks learn by the
/// cross entropy of the attention-weighted logits alone.
public struct SoftJointObjective<Element: StorageElement>: Objective {
    public let workspace: Workspace
    private let model: Saccader<Element>
    private let settings: SaccaderStageSettings
    private let representation: RepresentationNetwork<Element>.Buffers
    private let location: Saccader<Element>.LocationBuffers
    /// Nil where the representation network is frozen.
    private let representationGradients: RepresentationNetwork<Element>.Gradients?
    private let locationGradients: Saccader<Element>.LocationGradients
    private let runner: CellRunner<Element>
    private let attention: SoftAttention
    private let table: LossTable
    private let loss: ClassLoss
    /// The averaged logits, `[N, c]`.
    private let prediction: Tensor<Float>

    /// Plans a step of at most the given images and shards on this rank.
    public init(
        _ model: Saccader<Element>, settings: SaccaderStageSettings, imageSize: Int,
        imageCapacity: Int, shardCapacity: Int, threadCount: Int, targets: ClassTargets = .plain
    ) {
        self.model = model
        self.settings = settings
        workspace = Workspace(
            imageCapacity: imageCapacity, shardCapacity: shardCapacity, keepsActivations: true)
        let frozen = FrozenParts(settings.freeze, of: model.configuration)
        representation = model.representation.plan(
            imageSize: imageSize, frozen: frozen, in: workspace)
        location = model.planLocation(representation, frozen: frozen, in: workspace)
        runner = CellRunner(
            model.cell, features: location.features, glimpses: settings.glimpses, samples: 1,
            in: workspace)
        let shape = representation.logits.shape
        attention = SoftAttention(
            glimpses: settings.glimpses, locations: shape.locations, in: workspace)
        workspace.needScratch(
            (2 * shape.locations + settings.glimpses + 1) * shape.channels + shape.locations)
        table = LossTable(columns: 2, in: workspace)
        loss = ClassLoss(targets, classes: shape.channels, in: workspace)
        prediction = Tensor(Shape(imageCapacity, 1, 1, shape.channels), in: workspace.arena)
        locationGradients = model.planLocationBackward(
            location, frozen: frozen, wantsInputs: !frozen.logits, in: workspace)
        representationGradients =
            frozen.logits
            ? nil
            : model.representation.planBackward(representation, frozen: frozen, in: workspace)
        workspace.commit(threadCount: threadCount)
    }

    /// Reads the frozen parts, which no step changes.
    func fold(_ store: ParameterStore, pool: ThreadPool) throws {
        // A plan alone has nothing to read yet.
        if store.isPlan { return }
        try model.fold(
            representation, location, pass: Pass(reading: store, into: workspace, pool: pool))
    }

    public func forward(_ batch: TrainingBatch, pass: Pass) throws {
        representation.images.load(batch.images, pass: pass)
        try model.representation.forward(representation, mode: .training, pass: pass)
        try model.forwardLocation(location, mode: .training, pass: pass)
        let locations = location.features.shape.locations
        pass.forEachShard { _, images, scratch in
            for image in images {
                runner.run(image, store: pass.store, scratch: scratch) { _, t, logits in
                    if case .fixed(let places) = batch.glimpses {
                        return Int(places[image * settings.glimpses + t])
                    }
                    return Softmax.argmax(logits, count: locations)
                }
            }
        }
    }

    public func loss(_ batch: TrainingBatch, pass: Pass) throws -> LossReport {
        let shape = representation.logits.shape
        let (locations, classes) = (shape.locations, shape.channels)
        let total = try loss.total(batch.labels, pass: pass)
        pass.forEachShard { shard, images, scratch in
            let sums = table.cleared(shard: shard)
            let rows = scratch + locations * classes
            for image in images {
                attention.average(
                    image, policy: runner.buffers.logits(image, 0),
                    logits: representation.logits(image, scratch: scratch), classes: classes,
                    into: rows)
                let mean = prediction.row(image)
                mean.update(repeating: 0, count: classes)
                RowKernels.addSums(rows, rows: settings.glimpses, channels: classes, to: mean)
                for index in 0..<classes { mean[index] /= Float(settings.glimpses) }
                let label = Int(batch.labels[image])
                sums[1] += Softmax.argmax(mean, count: classes) == label ? 1 : 0
                rows.update(from: mean, count: classes)
                let logSum = Softmax.apply(rows, count: classes)
                sums[0] += loss.value(mean, label: label, logSum: logSum)
            }
        }
        let sums = try table.sum(pass: pass)
        let count = Double(pass.globalImageCount)
        return LossReport(
            crossEntropy: sums[0] / total, accuracy: sums[1] / count, weight: total)
    }

    public func backward(_ batch: TrainingBatch, _ report: LossReport, pass: Pass) throws {
        let shape = representation.logits.shape
        let (locations, classes) = (shape.locations, shape.channels)
        let weight = 1 / Float(report.weight ?? Double(pass.globalImageCount))
        pass.forEachShard { _, images, scratch in
            let gradient = scratch + locations * classes
            let row = gradient + locations * classes
            for image in images {
                row.update(from: prediction.row(image), count: classes)
                Softmax.apply(row, count: classes)
                loss.differentiate(row, label: Int(batch.labels[image]))
                for index in 0..<classes { row[index] *= weight }
                attention.backward(
                    image, gradient: row, logits: representation.logits(image, scratch: scratch),
                    classes: classes, into: gradient, scratch: row + classes)
                if let gradients = representationGradients {
                    RowKernels.store(
                        gradient, count: locations * classes,
                        into: gradients.logits.row(image * locations))
                }
            }
        }
        runner.backward(into: locationGradients.mixed, pass: pass) { image, _, upstream in
            upstream.update(
                from: attention.weights(image), count: settings.glimpses * locations)
        }
        try model.backwardLocation(location, locationGradients, pass: pass)
        guard let representationGradients else { return }
        try model.representation.backward(
            representation, representationGradients, addingToWhat: locationGradients.what,
            addingToFeatures: locationGradients.features, pass: pass)
    }

    public func trace(imageCount: Int) -> [TracedArray] {
        let classes = representation.logits.shape.channels
        let arrays =
            representation.trace(imageCount: imageCount) + location.trace(imageCount: imageCount)
        return arrays + runner.trace(imageCount: imageCount, withSamples: true) + [
            TracedArray(
                "prediction", [1, imageCount, classes],
                .floats(prediction.elements(imageCount * classes)))
        ]
    }
}
