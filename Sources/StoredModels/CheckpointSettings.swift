import Checkpoints
import Configuration
import Families
import Images
import Models

/// The part of a run's settings that evaluation needs.
public struct CheckpointSettings: Codable, Sendable {
    /// The run's seed.
    public var seed: UInt64 = 0
    /// The networks.
    public var model = ModelConfiguration()
    /// The images.
    public var data = DataConfiguration()
    /// Where a second network looks.
    public var glimpse = GlimpseConfiguration()
    /// The stages.
    public var stages = StagesConfiguration()

    /// The words that some keys take, by dotted path.
    public static let choices = ModelConfiguration.choices
        .merging(StagesConfiguration.choices) { $1 }
        .merging(DataConfiguration.choices.map { ("data.\($0)", $1) }) { $1 }
        .merging(GlimpseConfiguration.choices.map { ("glimpse.\($0)", $1) }) { $1 }

    /// The defaults.
    public init() {}

    /// Reads the settings of a checkpoint; keys of other versions are skipped.
    init(_ checkpoint: Checkpoint, of family: any ModelFamily.Type) throws {
        var tree = try ConfigurationTree(
            defaults: CheckpointSettings(), choices: CheckpointSettings.choices)
        try tree.overlay(
            yaml: checkpoint.header.config, source: "\(checkpoint.file.path): config",
            ignoringUnknown: true)
        self = try tree.decode(CheckpointSettings.self)
        model.join(glimpse, patchImageSize: data.patchImageSize)
        let problem =
            model.problem(of: family, imageSize: data.imageSize) ?? data.problem?.below("data")
        if let problem {
            throw CheckpointError.damaged(
                path: checkpoint.file.path,
                what: "its config is impossible: \(problem.key) \(problem.message)")
        }
    }
}

extension DataConfiguration {
    /// The words that some keys take.
    static let choices = [
        "augmentation": Augmentation.allCases.map(\.rawValue),
        "flip": Flip.allCases.map(\.rawValue), "resize": Resampling.allCases.map(\.rawValue),
        "transparency": Transparency.allCases.map(\.rawValue),
        "orientation": Orientation.allCases.map(\.rawValue),
    ]

    /// The images as a model takes them: in a second size where it cuts patches out of that.
    public func forModel(_ model: any ModelFamily) -> DataConfiguration {
        var data = self
        data.patchImageSize = model.viewedImageSize == imageSize ? 0 : model.viewedImageSize
        return data
    }

    /// The first setting that cannot be used.
    public var problem: SettingProblem? {
        if !(0..<1).contains(developmentFraction) {
            return SettingProblem("developmentFraction", "must be at least 0 and less than 1")
        }
        if let problem = augmentationProblem { return problem }
        return SettingProblem.first([
            ("workers", workers, CountRange.threads),
            ("centralCropMargin", centralCropMargin, 0...CountRange.imageSize.upperBound),
        ])
    }
}
