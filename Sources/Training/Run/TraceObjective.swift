import Families
import Models

/// What `trace` computes: a family in inference mode, or the step of a stage.
public enum TraceObjective: Sendable {
    /// The greedy policy, batch norm in inference mode.
    case inference(any ModelFamily.Type)
    /// A stage's forward, loss and backward.
    case stage(Stage)

    /// All objectives by name, in the order of help.
    public static var names: [String] {
        Families.all.flatMap(names)
    }

    /// The objectives of a family.
    static func names(of family: any ModelFamily.Type) -> [String] {
        (family.inferenceObjective.map { [$0] } ?? []) + family.stages.map(\.stage.name)
    }

    /// The objective of a name.
    public init?(named name: String) {
        if let family = Families.all.first(where: { $0.inferenceObjective == name }) {
            self = .inference(family)
        } else if let stage = Families.stage(named: name) {
            self = .stage(stage)
        } else {
            return nil
        }
    }

    /// What commands call it.
    var name: String {
        switch self {
        case .inference(let family): family.inferenceObjective ?? family.name
        case .stage(let stage): stage.name
        }
    }

    /// The stage whose settings hold; nil where there is none.
    var stage: Stage? {
        switch self {
        case .inference(let family): family.inferenceStage
        case .stage(let stage): stage
        }
    }

    /// Whose models it is for.
    var family: any ModelFamily.Type {
        switch self {
        case .inference(let family): family
        case .stage(let stage): Families.family(of: stage)
        }
    }
}
