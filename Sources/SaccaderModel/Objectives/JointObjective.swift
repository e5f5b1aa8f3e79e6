import Layers
import Models
import Tensors

/// Stage 3 (eq. 6): the policy learns by REINFORCE from sampled trajectories, everything else by
/// the cross entropy of their averaged logits.
public struct JointObjective<Element: StorageElement>: Objective {
    public let workspace: Workspace
    private let model: Saccader<Element>
    private let settings: SaccaderStageSettings
    private let representation: RepresentationNetwork<Element>.Buffers
    private let location: Saccader<Element>.LocationBuffers
    /// Nil where the representation network is frozen.
    private let representationGradients: RepresentationNetwork<Element>.Gradients?
    private let locationGradients: Saccader<Element>.LocationGradients
    private let runner: CellRunner<Element>
    private let table: LossTable
    private let loss: ClassLoss
    /// The averaged logits of each trajectory, `[N, S, c]`.
    private let prediction: Tensor<Float>
    /// r of each trajectory, `[N, S]`.
    private let rewards: Tensor<Float>

    /// Plans a step of at most the given images and shards on this rank.
    ///
    /// - Parameter sparesMemory: As in `Workspace`; the bits are the same.
    public init(
        _ model: Saccader<Element>, settings: SaccaderStageSettings, imageSize: Int,
        imageCapacity: Int, shardCapacity: Int, threadCount: Int, sparesMemory: Bool? = nil,
        targets: ClassTargets = .plain
    ) {
        self.model = model
        self.settings = settings
        workspace = Workspace(
            imageCapacity: imageCapacity, shardCapacity: shardCapacity, keepsActivations: true,
            sparesMemory: sparesMemory)
        let frozen = FrozenParts(settings.freeze, of: model.configuration)
        representation = model.representation.plan(
            imageSize: imageSize, frozen: frozen, in: workspace)
        location = model.planLocation(representation, frozen: frozen, in: workspace)
        let samples = settings.samples
        runner = CellRunner(
            model.cell, features: location.features, glimpses: settings.glimpses,
            samples: samples, in: workspace)
        let shape = representation.logits.shape
        workspace.needScratch((2 * shape.locations + 1) * shape.channels + shape.locations)
        table = LossTable(columns: 5, in: workspace)
        loss = ClassLoss(targets, classes: shape.channels, in: workspace)
        prediction = Tensor(
            Shape(imageCapacity, samples, 1, shape.channels), in: workspace.arena)
        rewards = Tensor(Shape(imageCapacity, samples, 1, 1), in: workspace.arena)
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
                var random = generators(batch.glimpses, image: image)
                runner.run(image, store: pass.store, scratch: scratch) { sample, t, logits in
                    if case .fixed(let places) = batch.glimpses {
                        let row = sample * pass.imageCount + image
                        return Int(places[row * settings.glimpses + t])
                    }
                    return Self.sample(
                        logits, count: locations,
                        scratch: scratch + locations * (model.cell.channels + 1),
                        uniform: random[sample].uniform())
                }
            }
        }
    }

    private func generators(_ source: GlimpseSource, image: Int) -> [CounterRandom] {
        guard case .sampled(let seed, let stream, let identifiers) = source else { return [] }
        return (0..<settings.samples).map { sample in
            CounterRandom(
                seed: seed, purpose: .glimpses, stream: stream,
                index: UInt64(identifiers[image] * settings.samples + sample))
        }
    }

    /// Draws a place from softmax(logits) by inverting its distribution function.
    private static func sample(
        _ logits: UnsafePointer<Float>, count: Int, scratch: UnsafeMutablePointer<Float>,
        uniform: Double
    ) -> Int {
        scratch.update(from: logits, count: count)
        Softmax.apply(scratch, count: count)
        var total = 0.0
        for place in 0..<count { total += Double(scratch[place]) }
        var rest = uniform * total
        var last = 0
        for place in 0..<count where scratch[place] > 0 {
            last = place
            rest -= Double(scratch[place])
            if rest < 0 { break }
        }
        return last
    }

    public func loss(_ batch: TrainingBatch, pass: Pass) throws -> LossReport {
        let classes = representation.logits.shape.channels
        let samples = settings.samples
        let total = try loss.total(batch.labels, pass: pass)
        pass.forEachShard { shard, images, scratch in
            let sums = table.cleared(shard: shard)
            for image in images {
                let logits = representation.logits(image, scratch: scratch)
                let label = Int(batch.labels[image])
                for sample in 0..<samples {
                    let mean = prediction.row(image * samples + sample)
                    averageLogits(logits, image, sample, into: mean)
                    let reward: Float =
                        Softmax.argmax(mean, count: classes) == label ? 1 : 0
                    rewards.row(image * samples + sample)[0] = reward
                    let row = scratch + 2 * representation.logits.shape.locations * classes
                    row.update(from: mean, count: classes)
                    let logSum = Softmax.apply(row, count: classes)
                    sums[0] += loss.value(mean, label: label, logSum: logSum)
                    sums[1] += Double(reward)
                }
                // The logits are done with: their scratch serves the policy's softmax.
                for sample in 0..<samples {
                    let surprise = runner.negativeLogLikelihood(image, sample, scratch: scratch)
                    sums[2] += surprise
                    sums[3] += surprise * Double(rewards.row(image * samples + sample)[0])
                }
            }
        }
        let sums = try table.sum(pass: pass)
        let images = Double(pass.globalImageCount)
        let trajectories = images * Double(samples)
        // b: the mean reward over the images and samples of all ranks together.
        let baseline = sums[1] / trajectories
        return LossReport(
            crossEntropy: sums[0] / (total * Double(samples)),
            reinforce: settings.reinforceWeight * (sums[3] - baseline * sums[2]) / images,
            accuracy: baseline, reward: sums[1] / trajectories, baseline: baseline,
            weight: total)
    }

    /// The mean of the logits at a trajectory's places, `[c]`.
    private func averageLogits(
        _ logits: UnsafePointer<Float>, _ image: Int, _ sample: Int,
        into mean: UnsafeMutablePointer<Float>
    ) {
        let classes = representation.logits.shape.channels
        let places = runner.buffers.locations(image, sample)
        mean.update(repeating: 0, count: classes)
        for t in 0..<settings.glimpses {
            let row = logits + Int(places[t]) * classes
            for index in 0..<classes { mean[index] += row[index] }
        }
        for index in 0..<classes { mean[index] /= Float(settings.glimpses) }
    }

    public func backward(_ batch: TrainingBatch, _ report: LossReport, pass: Pass) throws {
        let samples = settings.samples
        let baseline = Float(report.baseline ?? 0)
        let policyWeight = Float(settings.reinforceWeight) / Float(pass.globalImageCount)
        if let gradients = representationGradients {
            backwardLogits(batch, report, into: gradients.logits, pass: pass)
        }
        runner.backward(into: locationGradients.mixed, pass: pass) { image, sample in
            policyWeight * (rewards.row(image * samples + sample)[0] - baseline)
        }
        try model.backwardLocation(location, locationGradients, pass: pass)
        guard let representationGradients else { return }
        try model.representation.backward(
            representation, representationGradients, addingToWhat: locationGradients.what,
            addingToFeatures: locationGradients.features, pass: pass)
    }

    /// The cross entropy's gradient reaches the logits at the visited places.
    private func backwardLogits(
        _ batch: TrainingBatch, _ report: LossReport, into gradient: Tensor<Element>, pass: Pass
    ) {
        let shape = representation.logits.shape
        let (locations, classes, samples) = (shape.locations, shape.channels, settings.samples)
        let total = report.weight ?? Double(pass.globalImageCount)
        let weight = 1 / Float(Double(settings.glimpses * samples) * total)
        pass.forEachShard { _, images, scratch in
            let row = scratch + locations * classes
            for image in images {
                scratch.update(repeating: 0, count: locations * classes)
                for sample in 0..<samples {
                    row.update(
                        from: prediction.row(image * samples + sample), count: classes)
                    Softmax.apply(row, count: classes)
                    loss.differentiate(row, label: Int(batch.labels[image]))
                    let places = runner.buffers.locations(image, sample)
                    for t in 0..<settings.glimpses {
                        let target = scratch + Int(places[t]) * classes
                        for index in 0..<classes { target[index] += weight * row[index] }
                    }
                }
                RowKernels.store(
                    scratch, count: locations * classes,
                    into: gradient.row(image * locations))
            }
        }
    }

    public func trace(imageCount: Int) -> [TracedArray] {
        let (classes, samples) = (representation.logits.shape.channels, settings.samples)
        var predictions: [Float] = []
        var reward: [Float] = []
        for sample in 0..<samples {
            for image in 0..<imageCount {
                let row = image * samples + sample
                predictions += Array(
                    UnsafeBufferPointer(start: prediction.row(row), count: classes))
                reward.append(rewards.row(row)[0])
            }
        }
        let arrays =
            representation.trace(imageCount: imageCount) + location.trace(imageCount: imageCount)
        return arrays + runner.trace(imageCount: imageCount, withSamples: true) + [
            TracedArray("prediction", [samples, imageCount, classes], .floats(predictions)),
            TracedArray("reward", [samples, imageCount], .floats(reward)),
        ]
    }
}
