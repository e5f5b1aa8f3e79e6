import Layers
import Models
import Tensors

/// The stage `glimpse`: cross entropy of a network on patches at the places of a frozen model.
///
///     J = CE(mean over t of the logits), or the mean over images and t of each patch's CE
///
/// No gradient passes into pixels, places or the frozen model.
struct GlimpseObjective<Element: StorageElement>: Objective {
    let workspace: Workspace
    private let network: PatchNetwork<Element>
    private let buffers: PatchNetwork<Element>.Buffers
    private let gradients: PatchNetwork<Element>.Gradients
    private let places: TrainingPlaces
    private let cut: PatchCut
    private let settings: GlimpseStageSettings
    private let averageLoss: MeanLogitsLoss<Element>
    private let eachLoss: MeanLogitsLoss<Element>
    /// The gradient of the mean of each image's logits; the loss of each patch has its own.
    private let unused: Tensor<Element>

    /// Plans a step.
    ///
    /// - Parameters:
    ///   - locator: The frozen model.
    ///   - imageSize: H.
    init(
        _ model: GlimpseSettings, stage: GlimpseStageSettings, locator: any ModelFamily,
        places: PatchPlaces, plan: StepPlan
    ) throws {
        settings = stage
        cut = PatchCut(model, places)
        network = PatchNetwork<Element>.make(model).network
        let (images, glimpses) = (plan.imageCapacity, stage.glimpses)
        workspace = Workspace(
            imageCapacity: images * glimpses, shardCapacity: plan.shardCapacity,
            keepsActivations: true)
        workspace.needScratch(cut.scratchCount)
        // Before anything is given back: what is cut is needed throughout the step.
        self.places = try TrainingPlaces(
            places, locator: locator, settings: model.glimpse, stage: stage, plan: plan,
            in: workspace)
        buffers = network.plan(
            imageSize: cut.size,
            frozenCount: PatchNetwork<Element>.freezable(model).frozenCount(stage.freeze),
            in: workspace)
        let (logits, classes) = (buffers.logits, model.classes)
        let targets = ClassTargets(stage, plan)
        averageLoss = MeanLogitsLoss(
            logits.reshaped(Shape(images, glimpses, 1, classes)), targets: targets, in: workspace)
        eachLoss = MeanLogitsLoss(logits, targets: targets, in: workspace)
        unused = Tensor(logits.shape, in: workspace.arena)
        unused.release()
        gradients = network.planBackward(buffers, in: workspace)
        workspace.commit(threadCount: plan.pool.threadCount)
    }

    /// The network's part and the frozen model's, which looks first.
    var byteCount: Int { workspace.byteCount + places.byteCount }

    /// The patches' pass.
    private func patches(_ pass: Pass) -> Pass { pass.repeated(settings.glimpses) }

    private func noise(_ batch: TrainingBatch) -> StepNoise? {
        guard case .sampled(let seed, let stream, let identifiers) = batch.glimpses else {
            return nil
        }
        let keys = identifiers.flatMap { identifier in
            (0..<settings.glimpses).map { UInt64(identifier * settings.glimpses + $0) }
        }
        return StepNoise(seed: seed, stream: stream, keys: keys, progress: batch.progress)
    }

    private func fill(_ target: Tensor<Element>, _ batch: TrainingBatch, pass: Pass) {
        cut.fill(
            target, batch.patchImages.isEmpty ? batch.images : batch.patchImages, pass: pass
        ) { ($0 / settings.glimpses, places.window(ofRow: $0)) }
    }

    func forward(_ batch: TrainingBatch, pass: Pass) throws {
        try places.choose(batch, imageCount: pass.imageCount)
        let pass = patches(pass)
        fill(buffers.images, batch, pass: pass)
        try network.forward(buffers, mode: .training, noise: noise(batch), pass: pass)
    }

    func loss(_ batch: TrainingBatch, pass: Pass) throws -> LossReport {
        let images = gradients.logits.shape.images / settings.glimpses
        let classes = gradients.logits.shape.channels
        let shape = Shape(images, settings.glimpses, 1, classes)
        guard settings.loss == .each else {
            return try averageLoss.report(
                batch.labels, gradient: gradients.logits.reshaped(shape), pass: pass)
        }
        // The accuracy, and what a trace shows, is of the mean in either case.
        var report = try averageLoss.report(
            batch.labels, gradient: unused.reshaped(shape), pass: pass)
        let labels = batch.labels.flatMap { Array(repeating: $0, count: settings.glimpses) }
        report.crossEntropy = try eachLoss.report(
            labels, gradient: gradients.logits, pass: patches(pass)
        ).crossEntropy
        return report
    }

    func backward(_ batch: TrainingBatch, _ report: LossReport, pass: Pass) throws {
        let pass = patches(pass)
        try network.backward(buffers, gradients, noise: noise(batch), pass: pass) {
            fill($0, batch, pass: pass)
        }
    }

    func trace(imageCount: Int) -> [TracedArray] {
        var arrays = places.trace(imageCount: imageCount)
        let glimpses = settings.glimpses
        // Everything is kept for the backward pass, which is yet to come.
        network.forEachValue(buffers) { name, parts in
            arrays.append(
                TracedArray(name, parts, images: imageCount, glimpses: glimpses))
        }
        return arrays + [averageLoss.trace(imageCount: imageCount)]
    }
}
