import Checkpoints
import Configuration
import Images
import Layers
import Models
import SaccaderModel
import Tensors

/// The part of a run's settings that evaluation needs.
public struct ModelSettings: Codable, Sendable {
    /// The run's seed.
    public var seed: UInt64 = 0
    /// The networks.
    public var model = ModelConfiguration()
    /// The images.
    public var data = DataConfiguration()

    /// The words that some keys take, by dotted path.
    public static let choices: [String: [String]] = [
        "model.representation.shortcutNorm": ["residual", "reference"],
        "data.augmentation": ["randomArea", "none"],
        "data.resize": ["antialias", "legacy"],
    ]

    /// The defaults.
    public init() {}

    /// Those of a checkpoint; keys of other versions are skipped.
    init(_ checkpoint: Checkpoint) throws {
        var tree = try ConfigurationTree(
            defaults: ModelSettings(), choices: ModelSettings.choices)
        try tree.overlay(
            yaml: checkpoint.header.config, source: "\(checkpoint.file.path): config",
            ignoringUnknown: true)
        self = try tree.decode(ModelSettings.self)
        if let problem = Self.problem(model, data) {
            throw CheckpointError.damaged(
                path: checkpoint.file.path,
                what: "its config is impossible: \(problem.key) \(problem.message)")
        }
    }

    /// The first setting of networks and images that cannot be used, by its whole key.
    public static func problem(
        _ model: ModelConfiguration, _ data: DataConfiguration
    ) -> (key: String, message: String)? {
        if let problem = model.problem { return ("model.\(problem.key)", problem.message) }
        // A size of 0 or less is told by the receptive field.
        if data.imageSize > CountRange.imageSize.upperBound,
            let problem = CountRange.problem(data.imageSize, in: CountRange.imageSize)
        {
            return ("data.imageSize", problem)
        }
        let geometry = Geometry(model.representation, imageSize: data.imageSize)
        if geometry.gridSize < 1 {
            return (
                "data.imageSize",
                "is \(data.imageSize), less than the receptive field of "
                    + "\(geometry.receptiveField) pixels: give a larger one"
            )
        }
        if !(0..<1).contains(data.developmentFraction) {
            return ("data.developmentFraction", "must be at least 0 and less than 1")
        }
        let counts = [
            ("data.workers", data.workers, CountRange.threads),
            ("data.centralCropMargin", data.centralCropMargin, 0...CountRange.imageSize.upperBound),
        ]
        for (key, value, range) in counts {
            if let problem = CountRange.problem(value, in: range) { return (key, problem) }
        }
        return nil
    }
}

/// A model as a checkpoint holds it.
public struct StoredModel: Sendable {
    /// The settings with which it was trained.
    public let settings: ModelSettings
    /// The layers.
    public let model: Saccader<Float>
    /// The numbers.
    public let store: ParameterStore
    /// The stage in which the checkpoint was written.
    public let stage: StageName

    /// Loads a checkpoint, every checksum verified.
    public init(_ checkpoint: Checkpoint) throws {
        settings = try ModelSettings(checkpoint)
        guard let stage = StageName(rawValue: checkpoint.header.stage) else {
            throw CheckpointError.damaged(
                path: checkpoint.file.path,
                what: "was written in a stage \"\(checkpoint.header.stage)\", which is unknown")
        }
        if stage == .classifier {
            throw EvaluationError(
                "\(checkpoint.file.path): holds a classifier, which has no glimpses; give a "
                    + "Saccader's checkpoint", exitCode: .badData)
        }
        self.stage = stage
        model = Saccader<Float>(settings.model)
        store = ParameterStore(layout: model.layout, seed: settings.seed)
        try store.load(checkpoint)
    }
}

extension ParameterStore {
    /// Overwrites parameters and statistics with those of a checkpoint.
    ///
    /// - Parameter isWanted: Which, by path; left out: all.
    public func load(
        _ checkpoint: Checkpoint, where isWanted: (String) -> Bool = { _ in true }
    ) throws(CheckpointError) {
        for parameter in layout.parameters where isWanted(parameter.path) {
            let numbers = try checkpoint.floats("/model/\(parameter.path)", shape: parameter.shape)
            values(parameter).update(from: numbers, count: numbers.count)
        }
        for statistic in layout.statistics where isWanted(statistic.path) {
            let numbers = try checkpoint.floats(
                "/model/\(statistic.path)", shape: [statistic.count])
            values(statistic).update(from: numbers, count: numbers.count)
        }
    }

    /// All parameters and statistics as arrays of a checkpoint, in place.
    public func checkpointArrays() -> [CheckpointArray] {
        layout.parameters.map {
            CheckpointArray(
                "/model/\($0.path)", shape: $0.shape,
                values: UnsafeBufferPointer(start: values($0), count: $0.count))
        }
            + layout.statistics.map {
                CheckpointArray(
                    "/model/\($0.path)", shape: [$0.count],
                    values: UnsafeBufferPointer(start: values($0), count: $0.count))
            }
    }
}
