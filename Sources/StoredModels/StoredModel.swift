import Checkpoints
import Families
import Host
import Layers
import Models

/// A model as a checkpoint holds it.
public struct StoredModel: Sendable {
    /// The settings with which it was trained.
    public let settings: CheckpointSettings
    /// The model, on images of the size that it was trained on.
    public let model: any ModelFamily
    /// The numbers.
    public let store: ParameterStore
    /// The stage in which the checkpoint was written.
    public let stage: Stage

    /// Loads a checkpoint of any family, every checksum verified.
    public init(_ checkpoint: Checkpoint) throws {
        stage = try Self.stage(of: checkpoint)
        let family = Families.family(of: stage)
        settings = try CheckpointSettings(checkpoint, of: family)
        model = settings.model.model(of: family, imageSize: settings.data.imageSize)
        try HostMemory.requireMemory(for: model.layout)
        store = ParameterStore(layout: model.layout, seed: settings.seed)
        try store.load(checkpoint)
    }

    /// A model in memory.
    public init(
        settings: CheckpointSettings, model: any ModelFamily, store: ParameterStore, stage: Stage
    ) {
        (self.settings, self.model, self.store, self.stage) = (settings, model, store, stage)
    }

    /// The stage of a checkpoint, which is one of its family's.
    public static func stage(of checkpoint: Checkpoint) throws(CheckpointError) -> Stage {
        let header = checkpoint.header
        func damaged(_ what: String) -> CheckpointError {
            .damaged(path: checkpoint.file.path, what: what)
        }
        if let name = header.family, Families.family(named: name) == nil {
            throw damaged("holds a model of the family \"\(name)\", which this program lacks")
        }
        guard let stage = Families.stage(named: header.stage) else {
            throw damaged("was written in a stage \"\(header.stage)\", which is unknown")
        }
        let family = Families.family(of: stage).name
        if let name = header.family, name != family {
            throw damaged(
                "says it is of the family \(name) and of stage \(stage.name) of \(family)")
        }
        return stage
    }

    /// What the logits stand for, in their order; nil where the checkpoint does not say.
    public func classes(of checkpoint: Checkpoint) throws(CheckpointError) -> [KnownClass]? {
        guard let classes = checkpoint.header.classes else { return nil }
        guard classes.count == model.classes else {
            throw .damaged(
                path: checkpoint.file.path,
                what: "names \(classes.count) classes, but its model has \(model.classes)")
        }
        return classes
    }

    /// The family.
    public var family: any ModelFamily.Type { Families.family(of: stage) }

    /// The policies that it can follow, in the order of reports.
    public var policies: [Policy] { model.policies(after: stage) }

    /// T of the training.
    public var trainedGlimpses: Int {
        family.trainedGlimpses({ settings.stages[$0] }, after: stage)
    }
}
