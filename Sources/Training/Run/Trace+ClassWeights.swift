import Checkpoints
import Configuration
import Models

extension Trace {
    /// The weights of a stage's classes: those that the checkpoint's run had, as far as the setting is
    /// `auto`, else by the names of its classes; those of a checkpoint of before are called
    /// by their numbers.
    func classWeights(
        _ stage: Stage, model: any ModelFamily
    ) throws -> [Double] {
        let setting = configuration.stages[stage].classWeights
        if setting == .auto, checkpoint.header.stage == stage.name,
            let weights = checkpoint.header.classWeights, weights.count == model.classes
        {
            return weights
        }
        let names =
            checkpoint.header.classes
            ?? (0..<model.classes).map { KnownClass("\($0)") }
        return try setting.weights(of: stage, names: names, counts: nil)
    }
}
