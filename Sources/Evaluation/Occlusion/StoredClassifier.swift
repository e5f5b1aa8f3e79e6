import Checkpoints
import Layers
import Models
import SaccaderModel
import Tensors

/// A classifier as a checkpoint of the stage `classifier` holds it.
public struct StoredClassifier: Sendable {
    /// The settings with which it was trained.
    public let settings: ModelSettings
    /// The layers.
    public let model: Classifier<Float>
    /// The numbers.
    public let store: ParameterStore
}

extension StoredClassifier {
    /// Loads a checkpoint, every checksum verified.
    public init(_ checkpoint: Checkpoint) throws {
        guard checkpoint.header.stage == StageName.classifier.rawValue else {
            throw EvaluationError(
                "\(checkpoint.file.path): is of stage \(checkpoint.header.stage) and holds no "
                    + "classifier; give one that saccader-dist train --stages classifier wrote",
                exitCode: .badData)
        }
        settings = try ModelSettings(checkpoint)
        model = Classifier<Float>(settings.model)
        store = ParameterStore(layout: model.layout, seed: settings.seed)
        try store.load(checkpoint)
    }
}
