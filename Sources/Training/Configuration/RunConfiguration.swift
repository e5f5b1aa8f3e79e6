import Families
import Images
import Models

/// When checkpoints are written.
public struct CheckpointConfiguration: Codable, Equatable, Sendable {
    /// Steps between two checkpoints; 0: only by time and at the end of a stage.
    public var everySteps = 0
    /// Minutes between two checkpoints; 0: only by steps and at the end of a stage.
    public var everyMinutes = 10.0
    /// Checkpoints that are kept, besides the best and the last of each stage.
    public var keep = 2
}

/// How often progress is written down.
public struct LogConfiguration: Codable, Equatable, Sendable {
    /// Steps between two lines of `metrics.jsonl`.
    public var everySteps = 10
    /// Whether the same is written for TensorBoard, with pictures after each score.
    public var tensorboard = false
}

/// When the model is scored on the development subset.
public struct EvaluationConfiguration: Codable, Equatable, Sendable {
    /// Epochs between two scores, of which one is at the end of a stage; 0: never.
    public var everyEpochs = 1
    /// T of the learned policy when scoring; 0: the stage's own.
    public var glimpses = 0
    /// Images that a rank looks at together.
    public var batchSize = 64
}

/// All settings of a run; the defaults are ImageNet's, `Configs/demo.yaml` has the demonstration's.
public struct RunConfiguration: Codable, Equatable, Sendable {
    /// The number from which all random numbers follow.
    public var seed: UInt64 = 0
    /// The precision of stored activations and of the operands of matrix products.
    public var precision = Precision.float32
    /// The networks.
    public var model = ModelConfiguration()
    /// The images.
    public var data = DataConfiguration()
    /// Where a second network looks.
    public var glimpse = GlimpseConfiguration()
    /// The stages.
    public var stages = StagesConfiguration()
    /// Scores during training.
    public var evaluation = EvaluationConfiguration()
    /// How checkpoints are written.
    public var checkpoint = CheckpointConfiguration()
    /// The log.
    public var log = LogConfiguration()

    /// The defaults.
    public init() {}
}
