import Checkpoints
import Collectives
import Configuration
import Families
import Files
import Foundation
import Host
import Layers
import Models
import StoredModels
import Tensors
import Terminal

/// One forward, and where there is a loss one backward, on a given batch, with every named array
/// written out: the tool for comparing with another implementation.
public struct Trace {
    let checkpoint: Checkpoint
    let configuration: RunConfiguration
    /// The precision of a stage's step; inference is always in float32, as scores are.
    let precision: Precision
    let batch: HDF5File
    let pool: ThreadPool

    /// Opens a checkpoint and a batch; says so where the setting's precision cannot be had.
    ///
    /// - Parameters:
    ///   - batchPath: The file with `/batch`, or nil where the checkpoint holds it.
    ///   - overrides: `key.path=value`.
    ///   - acceptsEdited: Whether the user has said that arrays were edited.
    public init(
        checkpointPath: String, batchPath: String?, overrides: [String], threadCount: Int,
        acceptsEdited: Bool = false
    ) throws {
        checkpoint = try Checkpoint(reading: checkpointPath, acceptsEdited: acceptsEdited)
        if let warning = checkpoint.warning { Console.say("saccader-dist: warning: \(warning)") }
        configuration = try RunConfiguration.read(
            .checkpoint(json: checkpoint.header.config, path: checkpointPath),
            overrides: overrides)
        let arithmetic = try RankArithmetic(SoloCommunicator())
        precision = configuration.precision.agreed(arithmetic)
        if let warning = configuration.precision.warning(arithmetic) {
            Console.say(warning)
        }
        batch =
            try batchPath.map { path throws(CheckpointError) in try HDF5File.open(path) }
            ?? checkpoint.file
        guard batch.contains("/batch/images") else {
            throw RequestError(
                "\(batch.path): has no /batch/images; give a file that has it with --batch",
                exitCode: .badData)
        }
        pool = ThreadPool(threadCount: threadCount)
        if let warning = pool.warning { Console.say("warning: \(warning)") }
    }

    /// Computes and writes `output`, at once or not at all.
    ///
    /// - Parameter takesPlaces: Whether inference goes to the batch's places, not to the learned
    ///   policy's; a stage's step always does where there are some.
    public func write(
        _ objective: TraceObjective, takesPlaces: Bool = false, to output: String
    ) throws {
        let stage = try StoredModel.stage(of: checkpoint)
        guard Families.family(of: stage) == objective.family else {
            throw RequestError(
                "\(checkpoint.file.path): holds a \(Families.family(of: stage).name); --objective "
                    + "\(objective.name) wants a checkpoint of the family \(objective.family.name), "
                    + "and this one is for "
                    + TraceObjective.names(of: Families.family(of: stage)).joined(separator: ", "),
                exitCode: .badData)
        }
        let size = configuration.data.imageSize
        if let problem = configuration.model.problem(of: objective.family, imageSize: size) {
            throw ConfigurationError(key: problem.key, problem.message)
        }
        let model = configuration.model.model(of: objective.family, imageSize: size)
        let shape = try batch.shape(of: "/batch/images")
        guard shape.count == 4, shape[0] > 0, Array(shape[1...]) == [size, size, 3] else {
            throw CheckpointError.damaged(
                path: batch.path,
                what: "/batch/images has shape \(shape), the configuration asks for "
                    + "[B, \(size), \(size), 3]")
        }
        if let stage = objective.stage { try requireSettings(stage, of: model) }
        try requireMemory(objective, model: model, imageCount: shape[0])
        let store = ParameterStore(layout: model.layout, seed: configuration.seed)
        try store.load(checkpoint)
        let images = try batch.floats("/batch/images")
        let patchImages = try patchImages(model, imageCount: shape[0])
        var arrays: [TracedArray]
        var report: StepResult?
        switch objective {
        case .inference(let family):
            arrays = try model.inferenceTrace(
                TracedBatch(
                    images: images, imageCount: shape[0], patchImages: patchImages,
                    locations: takesPlaces ? try locations(model, family, shape[0]) : nil),
                settings: { configuration.stages[$0] }, store: store, pool: pool)
        case .stage(let stage):
            (arrays, report) = try step(
                stage, model: model, store: store, images: images, patchImages: patchImages,
                imageCount: shape[0])
        }
        for input in [checkpoint.file.path, batch.path] where AtomicFile.isSame(input, output) {
            throw RequestError("--output \(output): is the file that is read; name another one")
        }
        let file = try HDF5File.create(for: output)
        for array in arrays {
            switch array.values {
            case .floats(let values):
                try file.write("/trace/\(array.path)", shape: array.shape, floats: values)
            case .integers(let values):
                try file.write("/trace/\(array.path)", shape: array.shape, integers: values)
            }
        }
        if let report { try write(report, store: store, to: file) }
        try file.image().write(to: output)
    }

    /// Refuses a batch that is larger than the memory, before any is taken.
    private func requireMemory(
        _ objective: TraceObjective, model: any ModelFamily, imageCount: Int
    ) throws {
        try HostMemory.requireMemory(for: model.layout)
        let store = ParameterStore(planning: model.layout)
        try HostMemory.requireMemory(
            forImages: imageCount, option: batch.path, remedy: "a smaller data.imageSize"
        ) { images in
            switch objective {
            case .stage(let stage):
                let settings = configuration.stages[stage]
                let shards = (images + settings.shardSize - 1) / settings.shardSize
                return try model.objective(
                    stage, settings: settings,
                    plan: StepPlan(
                        precision: precision, store: store, pool: pool, imageCapacity: images,
                        shardCapacity: shards)
                ).byteCount + store.byteCount
            case .inference(let family):
                let stage = family.inferenceStage ?? family.stages[0].stage
                // A network that nobody tells where to look sees whole images, and has no viewer.
                if model.policies(after: stage).isEmpty && !family.policies(after: stage).isEmpty {
                    return store.byteCount
                }
                return try model.viewer(
                    ViewPlan(
                        store: store, pool: pool, imageCapacity: images, shardSize: 1,
                        glimpses: family.trainedGlimpses(
                            { configuration.stages[$0] }, after: stage),
                        policies: [.learned: 1], seed: configuration.seed)
                ).byteCount + store.byteCount
            }
        }
    }

    /// What a stage's step came to.
    private struct StepResult {
        let stage: Stage
        let loss: LossReport
        let penalty: Optimizer.Penalty
        /// Parameters that the stage trains.
        let trained: Set<String>
        /// The gradient's norm before it was clipped.
        let gradientNorm: Double
    }

    private func step(
        _ stage: Stage, model: any ModelFamily, store: ParameterStore, images: [Float],
        patchImages: [Float], imageCount: Int
    ) throws -> ([TracedArray], StepResult) {
        let settings = configuration.stages[stage]
        let labels = try batch.integers("/batch/labels")
        guard labels.count == imageCount,
            labels.allSatisfy({ 0 <= $0 && $0 < model.classes })
        else {
            throw CheckpointError.damaged(
                path: batch.path, what: "/batch/labels does not fit the images or the classes")
        }
        let layout = stride(from: 0, to: imageCount, by: settings.shardSize).map {
            $0..<min(imageCount, $0 + settings.shardSize)
        }
        let objective = try model.objective(
            stage, settings: settings,
            plan: StepPlan(
                precision: precision, store: store, pool: pool, imageCapacity: imageCount,
                shardCapacity: layout.count, classWeights: try classWeights(stage, model: model)))
        let optimizer = Optimizer(stage: stage, settings: settings, store: store)
        let trainingBatch = TrainingBatch(
            images: images, patchImages: patchImages, labels: labels,
            glimpses: try glimpses(
                model.givenPlaces(stage, settings: settings), imageCount: imageCount))
        let pass = Pass(
            pool: pool, reducer: NoRanks(), store: store, workspace: objective.workspace,
            shards: layout, globalImageCount: imageCount)
        try objective.forward(trainingBatch, pass: pass)
        let loss = try objective.loss(trainingBatch, pass: pass)
        let arrays = objective.trace(imageCount: imageCount)
        try objective.backward(trainingBatch, loss, pass: pass)
        let penalty = optimizer.addDecay(store: store)
        let norm = optimizer.gradientNorm(store: store)
        optimizer.clip(norm: norm, store: store, pool: pool)
        return (
            arrays,
            StepResult(
                stage: stage, loss: loss, penalty: penalty,
                trained: Set(optimizer.parameters.map(\.path)), gradientNorm: norm)
        )
    }

    /// Refuses settings that the model cannot be run with.
    private func requireSettings(_ stage: Stage, of model: any ModelFamily) throws {
        guard let problem = model.problem(configuration.stages[stage], of: stage) else { return }
        throw ConfigurationError(key: "stages.\(stage.name).\(problem.key)", problem.message)
    }

    /// The batch's places where it has some that the stage takes, else sampled ones.
    func glimpses(_ given: GivenPlaces?, imageCount: Int) throws -> GlimpseSource {
        guard let given, batch.contains("/batch/locations") else {
            return .sampled(
                seed: configuration.seed, stream: 0, identifiers: Array(0..<imageCount))
        }
        let (found, expected) = (
            try batch.shape(of: "/batch/locations"), given.shape(imageCount: imageCount)
        )
        guard found == expected else {
            throw CheckpointError.damaged(
                path: batch.path,
                what: "/batch/locations has shape \(found); expected \(expected)")
        }
        let isInside: Bool
        let source: GlimpseSource
        switch given.kind {
        case .locations(let count):
            let places = try batch.integers("/batch/locations")
            isInside = places.allSatisfy { 0 <= $0 && $0 < count }
            source = .fixed(places)
        case .points(let limit):
            let points = try batch.floats("/batch/locations")
            // At the limit itself other programs may round up.
            isInside = points.allSatisfy { abs($0) <= limit * (1 + 1e-6) }
            source = .places(points)
        }
        guard isInside else {
            throw CheckpointError.damaged(
                path: batch.path,
                what: "/batch/locations has a place that no window can be cut out around: "
                    + "\(given.bounds)")
        }
        return source
    }

    private func write(
        _ result: StepResult, store: ParameterStore, to file: HDF5File
    ) throws(CheckpointError) {
        let (loss, penalty) = (result.loss, result.penalty)
        let groups = Families.family(of: result.stage).groups.filter(result.stage.groups.contains)
        let terms: [(String, Double?)] =
            [
                ("total", groups.reduce(loss.total) { $0 + penalty[$1] }),
                ("crossEntropy", loss.crossEntropy), ("location", loss.location),
                ("reinforce", loss.reinforce),
            ] + penalty.terms(groups).map { ($0.name, $0.value) }
        for (name, value) in terms {
            if let value { try file.write("/trace/loss/\(name)", scalar: value) }
        }
        try file.write("/trace/gradientNorm", scalar: result.gradientNorm)
        if let baseline = loss.baseline { try file.write("/trace/baseline", scalar: baseline) }
        for parameter in store.layout.parameters {
            // What the stage leaves as it is has no gradient: not whatever the buffer holds.
            if !result.trained.contains(parameter.path) {
                store.gradient(parameter).update(repeating: 0, count: parameter.count)
            }
            try file.write(
                "/trace/gradient/\(parameter.path)", shape: parameter.shape,
                floats: UnsafeBufferPointer(
                    start: store.gradient(parameter), count: parameter.count))
        }
        for statistic in store.layout.statistics {
            try file.write(
                "/trace/statistics/\(statistic.path)", shape: [statistic.count],
                floats: UnsafeBufferPointer(
                    start: store.values(statistic), count: statistic.count))
        }
    }
}
