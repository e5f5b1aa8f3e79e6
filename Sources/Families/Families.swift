import DRAMModel
import GlimpseModel
import Layers
import Models
import ResNetModel
import SaccaderModel

/// The only list of families: whatever is not one family's own business asks here.
public enum Families {
    /// All families, in the order in which help and settings list them.
    public static let all: [any ModelFamily.Type] = [
        SaccaderFamily.self, ClassifierFamily.self, DRAMFamily.self, GlimpseFamily.self,
    ]

    /// How weights that others publish become models, of all families.
    public static var publicWeights: [PublicWeights] { all.compactMap { $0.publicWeights } }

    /// All stages, in the order of the families and of their training.
    public static var stages: [Stage] { all.flatMap { $0.stages.map(\.stage) } }

    /// The names of all stages, for help and errors.
    public static var stageNames: [String] { stages.map(\.name) }

    /// The stage of a name.
    public static func stage(named name: String) -> Stage? { stages.first { $0.name == name } }

    /// The family that a stage belongs to.
    public static func family(of stage: Stage) -> any ModelFamily.Type {
        guard let family = all.first(where: { $0.stages.contains { $0.stage == stage } }) else {
            preconditionFailure("the stage \(stage.name) is of no family")
        }
        return family
    }

    /// The family of a name, as checkpoints say it.
    public static func family(named name: String) -> (any ModelFamily.Type)? {
        all.first { $0.name == name }
    }
}
