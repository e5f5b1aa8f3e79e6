import SaccaderModel

/// Plans the step of a stage.
enum ObjectiveFactory {
    /// A step of at most the given images and shards on this rank.
    static func make(
        _ stage: StageName, model: Saccader<Float>, settings: StageConfiguration, imageSize: Int,
        imageCapacity: Int, shardCapacity: Int, threadCount: Int
    ) -> any Objective {
        switch stage {
        case .representation:
            RepresentationObjective(
                model, imageSize: imageSize, imageCapacity: imageCapacity,
                shardCapacity: shardCapacity, threadCount: threadCount)
        case .location:
            LocationObjective(
                model, settings: settings, imageSize: imageSize, imageCapacity: imageCapacity,
                shardCapacity: shardCapacity, threadCount: threadCount)
        case .joint:
            JointObjective(
                model, settings: settings, imageSize: imageSize, imageCapacity: imageCapacity,
                shardCapacity: shardCapacity, threadCount: threadCount)
        }
    }
}
