import Layers
import Models

/// The parts of a DRAM that a stage leaves untouched (`freeze`).
struct FrozenDRAM: Equatable, Sendable {
    /// How many parts of the glimpse network, from the first on.
    let glimpseCount: Int
    /// Whether that is all of them.
    let glimpse: Bool
    let classificationCell: Bool
    let logits: Bool
    let locationCell: Bool
    let emission: Bool

    /// The parts of some names, which make no problem.
    init(_ names: [String], of settings: DRAMConfiguration) {
        let parts = Self.freezable(in: .dram, settings)
        func isFrozen(_ part: String) -> Bool {
            FreezableParts.isNamed("dram/\(part)", in: names)
        }
        glimpseCount = parts.frozenCount(names)
        glimpse = glimpseCount == parts.chain.count
        classificationCell = isFrozen("classificationCell")
        logits = isFrozen("logits")
        locationCell = isFrozen("locationCell")
        emission = isFrozen("emission")
    }

    /// The parts that a stage can leave untouched.
    static func freezable(in stage: Stage, _ settings: DRAMConfiguration) -> FreezableParts {
        let glimpse = PreActivationTrunk<Float>.parts("dram/glimpse", blocks: settings.dram.blocks)
        let classification = ["dram/classificationCell", "dram/logits"]
        let policy = ["dram/locationCell", "dram/emission"]
        let groups = settings.dram.blocks.indices.map { "dram/glimpse/group\($0)" }
        return FreezableParts(
            glimpse + classification + policy,
            trained: glimpse + classification + (stage.groups.contains(.policy) ? policy : []),
            chain: glimpse,
            choices: (["dram/glimpse", "dram/glimpse/stem"] + groups).joined(separator: ", ")
                + " (or single blocks: dram/glimpse/group0/block0), dram/glimpse/norm, "
                + (classification + policy).joined(separator: ", "))
    }
}
