import Layers
import SaccaderModel
import Tensors

/// What a run trains: the stages of the Saccader, or the classifier alone.
enum TrainedModel: Sendable {
    case saccader(Saccader<Float>)
    case classifier(Classifier<Float>)

    /// The model that `stages` train together.
    init(_ configuration: ModelConfiguration, stages: [StageName]) {
        self =
            stages.contains(.classifier)
            ? .classifier(Classifier(configuration)) : .saccader(Saccader(configuration))
    }

    /// All its parameters and statistics.
    var layout: ParameterLayout {
        switch self {
        case .saccader(let model): model.layout
        case .classifier(let model): model.layout
        }
    }

    /// Plans a step of at most the given images and shards on this rank.
    ///
    /// - Parameter precision: Of what is stored between layers; the parameters are the same.
    func objective(
        _ stage: StageName, precision: Precision = .float32, settings: StageConfiguration,
        imageSize: Int, imageCapacity: Int, shardCapacity: Int, threadCount: Int
    ) -> any Objective {
        switch precision {
        case .float32:
            plan(
                stage, Float.self, settings: settings, imageSize: imageSize,
                imageCapacity: imageCapacity, shardCapacity: shardCapacity,
                threadCount: threadCount)
        case .bfloat16:
            plan(
                stage, BFloat16.self, settings: settings, imageSize: imageSize,
                imageCapacity: imageCapacity, shardCapacity: shardCapacity,
                threadCount: threadCount)
        }
    }

    private func plan<Element: StorageElement>(
        _ stage: StageName, _: Element.Type, settings: StageConfiguration, imageSize: Int,
        imageCapacity: Int, shardCapacity: Int, threadCount: Int
    ) -> any Objective {
        switch self {
        case .classifier(let model):
            return ClassifierObjective(
                Classifier<Element>(model.configuration), imageSize: imageSize,
                imageCapacity: imageCapacity, shardCapacity: shardCapacity,
                threadCount: threadCount)
        case .saccader(let model):
            let model = Saccader<Element>(model.configuration)
            switch stage {
            case .representation:
                return RepresentationObjective(
                    model, imageSize: imageSize, imageCapacity: imageCapacity,
                    shardCapacity: shardCapacity, threadCount: threadCount)
            case .location:
                return LocationObjective(
                    model, settings: settings, imageSize: imageSize, imageCapacity: imageCapacity,
                    shardCapacity: shardCapacity, threadCount: threadCount)
            case .joint where model.configuration.cell.soft:
                return SoftJointObjective(
                    model, settings: settings, imageSize: imageSize, imageCapacity: imageCapacity,
                    shardCapacity: shardCapacity, threadCount: threadCount)
            case .joint:
                return JointObjective(
                    model, settings: settings, imageSize: imageSize, imageCapacity: imageCapacity,
                    shardCapacity: shardCapacity, threadCount: threadCount)
            case .classifier:
                preconditionFailure("the stage classifier trains no Saccader")
            }
        }
    }
}
