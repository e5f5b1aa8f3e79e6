import Checkpoints
import Families
import Models

/// A checkpoint that is ready to be evaluated.
struct OpenedCheckpoint {
    let stored: StoredModel
    let settings: CheckpointSettings
    /// The model on the images that it is evaluated on.
    let model: any ModelFamily
    let provenance: Provenance

    /// Loads a checkpoint of a model that looks at glimpses.
    ///
    /// - Parameter imageSize: Replaces that of the training.
    init(_ path: String, imageSize: Int?) throws {
        let checkpoint = try Checkpoint(reading: path)
        stored = try StoredModel(checkpoint)
        provenance = Provenance(path: path, header: checkpoint.header)
        var settings = stored.settings
        if let imageSize {
            settings.data.imageSize = imageSize
            if let problem = settings.model.problem(of: stored.family, imageSize: imageSize) {
                let words = problem.key == "data.imageSize" ? "" : "\(problem.key) "
                throw EvaluationError("--image-size: \(words)\(problem.message)")
            }
        }
        self.settings = settings
        model = settings.model.model(of: stored.family, imageSize: settings.data.imageSize)
        if stored.policies.isEmpty {
            throw EvaluationError(
                "\(path): holds a \(stored.model.familyName), which has no glimpses; give a "
                    + "checkpoint of a model that looks at glimpses", exitCode: .badData)
        }
    }
}
