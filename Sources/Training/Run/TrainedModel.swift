import Layers
import Models
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
    /// - Parameters:
    ///   - precision: Of what is stored between layers; the parameters are the same.
    ///   - store: Has its numbers already: a stage may read at once what it does not train.
    func objective(
        _ stage: StageName, precision: Precision = .float32, settings: StageConfiguration,
        store: ParameterStore, pool: ThreadPool, imageSize: Int, imageCapacity: Int,
        shardCapacity: Int
    ) throws -> any Objective {
        switch precision {
        case .float32:
            try plan(
                stage, Float.self, settings: settings, store: store, pool: pool,
                imageSize: imageSize, imageCapacity: imageCapacity, shardCapacity: shardCapacity)
        case .bfloat16:
            try plan(
                stage, BFloat16.self, settings: settings, store: store, pool: pool,
                imageSize: imageSize, imageCapacity: imageCapacity, shardCapacity: shardCapacity)
        }
    }

    private func plan<Element: StorageElement>(
        _ stage: StageName, _: Element.Type, settings: StageConfiguration, store: ParameterStore,
        pool: ThreadPool, imageSize: Int, imageCapacity: Int, shardCapacity: Int
    ) throws -> any Objective {
        let threadCount = pool.threadCount
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
                return try LocationObjective(
                    model, settings: settings, store: store, pool: pool, imageSize: imageSize,
                    imageCapacity: imageCapacity, shardCapacity: shardCapacity)
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
