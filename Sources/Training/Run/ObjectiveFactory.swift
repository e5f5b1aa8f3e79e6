import SaccaderModel
import Tensors

/// Plans the step of a stage.
enum ObjectiveFactory {
    /// A step of at most the given images and shards on this rank.
    static func make(
        _ stage: StageName, precision: Precision = .float32, model: Saccader<Float>,
        settings: StageConfiguration, imageSize: Int, imageCapacity: Int, shardCapacity: Int,
        threadCount: Int
    ) -> any Objective {
        switch precision {
        case .float32:
            make(
                stage, model, settings: settings, imageSize: imageSize,
                imageCapacity: imageCapacity, shardCapacity: shardCapacity,
                threadCount: threadCount)
        case .bfloat16:
            // The same layout of the same parameters: only what is stored between layers differs.
            make(
                stage, Saccader<BFloat16>(model.configuration), settings: settings,
                imageSize: imageSize, imageCapacity: imageCapacity,
                shardCapacity: shardCapacity, threadCount: threadCount)
        }
    }

    private static func make<Element: StorageElement>(
        _ stage: StageName, _ model: Saccader<Element>, settings: StageConfiguration,
        imageSize: Int, imageCapacity: Int, shardCapacity: Int, threadCount: Int
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
