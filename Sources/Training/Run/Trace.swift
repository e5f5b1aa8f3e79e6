import Checkpoints
import Collectives
import Configuration
import Evaluation
import Foundation
import Layers
import Models
import SaccaderModel
import Tensors

/// One forward, and where there is a loss one backward, on a given batch, with every named array
/// written out: the tool for comparing with another implementation.
public struct Trace {
    /// What is computed.
    public enum Kind: String, CaseIterable, Sendable {
        /// The greedy policy, batch norm in inference mode.
        case inference
        /// Stage 1.
        case representation
        /// Stage 2.
        case location
        /// Stage 3.
        case joint
        /// The classifier's own stage.
        case classifier
    }

    let checkpoint: Checkpoint
    let configuration: RunConfiguration
    /// Of a stage's step; inference is always in float32, as scores are.
    let precision: Precision
    let batch: HDF5File
    let pool: ThreadPool

    /// Opens a checkpoint and a batch; says so where the setting's precision cannot be had.
    ///
    /// - Parameters:
    ///   - batchPath: The file with `/batch`, or nil where the checkpoint holds it.
    ///   - overrides: `key.path=value`.
    public init(
        checkpointPath: String, batchPath: String?, overrides: [String], threadCount: Int
    ) throws {
        checkpoint = try Checkpoint(reading: checkpointPath)
        configuration = try RunConfiguration.read(
            .checkpoint(json: checkpoint.header.config, path: checkpointPath),
            overrides: overrides)
        let arithmetic = try RankArithmetic(SoloCommunicator())
        precision = configuration.precision.agreed(arithmetic)
        if let warning = configuration.precision.warning(arithmetic) {
            FileHandle.standardError.write(Data("\(warning)\n".utf8))
        }
        batch =
            try batchPath.map { path throws(CheckpointError) in try HDF5File.open(path) }
            ?? checkpoint.file
        guard batch.contains("/batch/images") else {
            throw EvaluationError(
                "\(batch.path): has no /batch/images; give a file that has it with --batch",
                exitCode: .badData)
        }
        pool = ThreadPool(threadCount: threadCount)
    }

    /// Computes and writes `output`, at once or not at all.
    public func write(_ kind: Kind, to output: String) throws {
        let stage = StageName(rawValue: kind.rawValue) ?? .joint
        let model = TrainedModel(configuration.model, stages: [stage])
        let store = ParameterStore(layout: model.layout, seed: configuration.seed)
        try store.load(checkpoint)
        let shape = try batch.shape(of: "/batch/images")
        let size = configuration.data.imageSize
        guard shape.count == 4, shape[0] > 0, Array(shape[1...]) == [size, size, 3] else {
            throw CheckpointError.damaged(
                path: batch.path,
                what: "/batch/images has shape \(shape), the configuration asks for "
                    + "[B, \(size), \(size), 3]")
        }
        let images = try batch.floats("/batch/images")
        var arrays: [TracedArray]
        var report: (loss: LossReport, penalty: Optimizer.Penalty, optimizer: Optimizer)?
        if case .saccader(let model) = model, kind == .inference {
            let inference = try Inference(
                model, store: store, pool: pool, imageSize: size, imageCapacity: shape[0],
                shardSize: 1, glimpses: configuration.stages.joint.glimpses)
            let views = try inference(images, imageCount: shape[0])
            arrays = inference.trace(imageCount: shape[0])
            arrays.append(prediction(views))
        } else {
            (arrays, report) = try step(
                stage, model: model, store: store, images: images, imageCount: shape[0])
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
        if let report { try write(report, of: stage, store: store, to: file) }
        try file.image().write(to: output)
    }

    private func prediction(_ views: [Inference<Float>.View]) -> TracedArray {
        let classes = configuration.model.classes
        let means = views.flatMap { view in
            view.averages(.learned, view.learned, classes: classes).last ?? []
        }
        return TracedArray("prediction", [views.count, classes], .floats(means))
    }

    private func step(
        _ stage: StageName, model: TrainedModel, store: ParameterStore, images: [Float],
        imageCount: Int
    ) throws -> ([TracedArray], (LossReport, Optimizer.Penalty, Optimizer)) {
        let labels = try batch.integers("/batch/labels")
        guard labels.count == imageCount,
            labels.allSatisfy({ 0 <= $0 && $0 < configuration.model.classes })
        else {
            throw CheckpointError.damaged(
                path: batch.path, what: "/batch/labels does not fit the images or the classes")
        }
        let settings = configuration.stages[stage]
        let layout = stride(from: 0, to: imageCount, by: settings.shardSize).map {
            $0..<min(imageCount, $0 + settings.shardSize)
        }
        let objective = try model.objective(
            stage, precision: precision, settings: settings, store: store, pool: pool,
            imageSize: configuration.data.imageSize, imageCapacity: imageCount,
            shardCapacity: layout.count)
        let optimizer = Optimizer(stage: stage, settings: settings, store: store)
        let trainingBatch = TrainingBatch(
            images: images, labels: labels, glimpses: try glimpses(stage, imageCount: imageCount))
        let pass = Pass(
            pool: pool, reducer: NoRanks(), store: store, workspace: objective.workspace,
            shards: layout, globalImageCount: imageCount)
        try objective.forward(trainingBatch, pass: pass)
        let loss = try objective.loss(trainingBatch, pass: pass)
        let arrays = objective.trace(imageCount: imageCount)
        try objective.backward(trainingBatch, loss, pass: pass)
        let penalty = optimizer.addDecay(store: store)
        return (arrays, (loss, penalty, optimizer))
    }

    private func glimpses(_ stage: StageName, imageCount: Int) throws -> GlimpseSource {
        guard stage == .joint, batch.contains("/batch/locations") else {
            return .sampled(
                seed: configuration.seed, stream: 0, identifiers: Array(0..<imageCount))
        }
        let settings = configuration.stages.joint
        let shape = try batch.shape(of: "/batch/locations")
        let places = try batch.integers("/batch/locations")
        let geometry = Geometry(
            configuration.model.representation, imageSize: configuration.data.imageSize)
        guard shape == [settings.samples, imageCount, settings.glimpses],
            places.allSatisfy({ 0 <= $0 && $0 < geometry.locationCount })
        else {
            throw CheckpointError.damaged(
                path: batch.path,
                what: "/batch/locations has shape \(shape) or a place outside the grid; expected "
                    + "[\(settings.samples), \(imageCount), \(settings.glimpses)]")
        }
        return .fixed(places)
    }

    private func write(
        _ report: (loss: LossReport, penalty: Optimizer.Penalty, optimizer: Optimizer),
        of stage: StageName,
        store: ParameterStore, to file: HDF5File
    ) throws(CheckpointError) {
        let (loss, penalty, optimizer) = report
        let trainsRepresentation = optimizer.parameters.contains { !Optimizer.isLocation($0) }
        let trainsLocation = optimizer.parameters.contains(where: Optimizer.isLocation)
        let terms: [(String, Double?)] = [
            ("total", loss.total + penalty.representation + penalty.location),
            ("crossEntropy", loss.crossEntropy), ("location", loss.location),
            ("reinforce", loss.reinforce),
            (
                stage == .classifier ? "l2Classifier" : "l2Representation",
                trainsRepresentation ? penalty.representation : nil
            ),
            ("l2Location", trainsLocation ? penalty.location : nil),
        ]
        for (name, value) in terms {
            if let value { try file.write("/trace/loss/\(name)", scalar: value) }
        }
        if let baseline = loss.baseline { try file.write("/trace/baseline", scalar: baseline) }
        for parameter in optimizer.parameters {
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
