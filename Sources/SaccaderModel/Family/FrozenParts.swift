import Models

/// The parts that a stage leaves untouched (`freeze`): the model's first ones, from the images on,
/// so that no gradient has to pass through them.
struct FrozenParts: Equatable, Sendable {
    /// The representation network's first convolution.
    var stem = false
    /// How many of its bottlenecks, from the first on.
    var blocks = 0
    /// The layer of the "what" features.
    var lowD = false
    /// The layer of the logits, and so the whole network.
    var logits = false
    /// The attention network.
    var attention = false
    /// The mixing.
    var mixing = false

    /// Nothing: the whole model may be trained.
    static let none = FrozenParts()

    private init() {}

    /// The parts of some names, which make no problem.
    init(_ names: [String], of settings: SaccaderSettings) {
        let blocks = settings.representation.blocks
        for part in Self.parts(of: settings) where FreezableParts.isNamed(part, in: names) {
            switch part {
            case "representation/stem": stem = true
            case "representation/lowd": lowD = true
            case "representation/logits": logits = true
            case "attention": attention = true
            case "mixing": mixing = true
            // A group of bottlenecks.
            default:
                let group = Int(part.drop { !$0.isNumber })
                self.blocks += group.map { blocks[$0] } ?? 0
            }
        }
    }

    /// All parts, in the order of the forward pass.
    static func parts(of settings: SaccaderSettings) -> [String] {
        ["representation/stem"]
            + settings.representation.blocks.indices.map { "representation/group\($0)" }
            + ["representation/lowd", "representation/logits"]
            + (settings.attention.enabled ? ["attention"] : []) + ["mixing", "cell"]
    }

    /// The parts that a stage can leave untouched.
    static func freezable(in stage: Stage, _ settings: SaccaderSettings) -> FreezableParts {
        let parts = parts(of: settings)
        return FreezableParts(
            parts,
            trained: parts.filter { part in
                stage.groups.contains(
                    part.hasPrefix("representation/") ? .representation : .location)
            }, choices: (["representation"] + parts).joined(separator: ", "))
    }
}
