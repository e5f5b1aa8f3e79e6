import Checkpoints
import Configuration
import Families
import Foundation
import Layers
import Models
import StoredModels
import Terminal

/// The checkpoint of a model that says where a second network looks: `glimpse.locator`.
struct LocatorCheckpoint {
    let checkpoint: Checkpoint
    private let stored: StoredModel
    /// How settings call its family.
    private let familyName: String

    /// Opens a checkpoint of a model that has learned where to look.
    ///
    /// - Parameter acceptsEdited: Whether the user has said that arrays were edited.
    init(_ path: String, acceptsEdited: Bool = false) throws {
        checkpoint = try Checkpoint(reading: path, acceptsEdited: acceptsEdited)
        let stage = try StoredModel.stage(of: checkpoint)
        let family = Families.family(of: stage)
        guard let name = Families.locatorName(of: family) else {
            throw RequestError(
                "glimpse.locator: \(path): holds a \(family.name), which has no places of its own; "
                    + "give a checkpoint of a Saccader or a DRAM", exitCode: .badData)
        }
        guard family.policies(after: stage).contains(.learned) else {
            throw RequestError(
                "glimpse.locator: \(path): is of stage \(stage.name), in which the policy is not "
                    + "trained; give a checkpoint of a later stage", exitCode: .badData)
        }
        familyName = name
        stored = try StoredModel(checkpoint)
    }

    /// What is wrong where no checkpoint is named.
    static let missing = SettingProblem(
        "glimpse.locator",
        "names no checkpoint: give that of a Saccader or a DRAM, which says where to look")

    /// Lays the settings of the model that a tree of settings names over the tree: what it is, is
    /// not a matter of choice.
    static func adopt(
        in tree: inout ConfigurationTree, acceptsEdited: Bool = false
    ) throws {
        let given = try tree.decode(RunConfiguration.self)
        guard !given.glimpse.locator.isEmpty else { return }
        let path = given.glimpse.locator
        // The settings of a run that has begun say all; its checkpoints hold the numbers.
        if !given.glimpse.locatorChecksum.isEmpty && !FileManager.default.fileExists(atPath: path) {
            return
        }
        let locator = try LocatorCheckpoint(path, acceptsEdited: acceptsEdited)
        let (stored, family) = (locator.stored, type(of: locator.stored.model))
        if tree.isGiven("model.classes") {
            try locator.requireClasses(given.model.classes, "model.classes is")
        }
        let provenance: JSONLine = [
            "locatorFamily": locator.familyName, "locatorStep": locator.checkpoint.header.step,
            "locatorChecksum": stored.store.checksum,
        ]
        let settings: JSONLine = [
            "model": JSONText.Stored(try stored.settings.model.json(of: family)),
            "glimpse": provenance,
        ]
        try tree.overlay(yaml: settings.json, source: path)
    }

    /// Refuses another number of classes than the locator was trained on.
    ///
    /// - Parameter words: What says the other number.
    func requireClasses(_ count: Int, _ words: String) throws(ConfigurationError) {
        guard stored.model.classes != count else { return }
        throw ConfigurationError(
            key: "glimpse.locator",
            "\(checkpoint.file.path) was trained on \(stored.model.classes) classes, but "
                + "\(words) \(count): give a checkpoint of the same classes")
    }

    /// Overwrites the frozen part of a model with the checkpoint's numbers.
    func load(into store: ParameterStore, of model: any ModelFamily) throws {
        try store.load(checkpoint, where: model.isFrozen)
    }
}
