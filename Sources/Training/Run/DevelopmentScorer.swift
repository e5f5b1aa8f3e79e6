import Collectives
import Evaluation
import Images
import Layers
import SaccaderModel
import Tensors

/// Scores the model on the development images, all ranks together: exact counts, each image once.
final class DevelopmentScorer {
    private let configuration: RunConfiguration
    private let model: TrainedModel
    private let store: ParameterStore
    private let pool: ThreadPool
    private let images: ImageSet
    private let communicator: any Communicator
    private let activity: Activity
    private var evaluators: [StageName: Evaluator] = [:]
    private var classifierScorer: ClassifierScorer?

    init(
        configuration: RunConfiguration, model: TrainedModel, store: ParameterStore,
        pool: ThreadPool, images: ImageSet, communicator: any Communicator, activity: Activity
    ) {
        (self.configuration, self.model, self.store) = (configuration, model, store)
        (self.pool, self.images, self.communicator) = (pool, images, communicator)
        self.activity = activity
    }

    /// The top-1 accuracy: of the mean logits in the first stage, of the learned policy in the
    /// others, of the classifier in its own; nil where there are no development images.
    func score(_ stage: StageName) throws -> Double? {
        guard !images.entries.isEmpty else { return nil }
        let part = Evaluator.part(
            images.entries.count, rank: communicator.rank, of: communicator.size)
        let count: Int = try activity.during(.scoring) {
            switch model {
            case .saccader(let model): return try correct(stage, of: model, in: part)
            case .classifier(let model): return try correct(of: model, in: part)
            }
        }
        let sums = try communicator.sum([count, part.count])
        return Double(sums[0]) / Double(sums[1])
    }

    private func correct(
        _ stage: StageName, of model: Saccader<Float>, in part: Range<Int>
    ) throws -> Int {
        let glimpses = glimpses(stage)
        let evaluator = try evaluators[stage] ?? makeEvaluator(stage, model)
        evaluators[stage] = evaluator
        let scores = try evaluator.scores(images, range: part) { _ in activity.tick() }
        if stage == .representation { return scores.meanLogits.top1 }
        return scores.policies[.learned]?.first?.top1[glimpses - 1] ?? 0
    }

    private func correct(of model: Classifier<Float>, in part: Range<Int>) throws -> Int {
        let scorer =
            classifierScorer
            ?? ClassifierScorer(
                model, store: store, settings: settings, pool: pool,
                batchSize: batchSize)
        classifierScorer = scorer
        return try scorer.correct(images, range: part) { _ in activity.tick() }
    }

    /// No more than this rank has.
    private var batchSize: Int {
        let most = (images.entries.count + communicator.size - 1) / communicator.size
        return min(configuration.evaluation.batchSize, max(1, most))
    }

    /// T of the learned policy.
    private func glimpses(_ stage: StageName) -> Int {
        let own = configuration.evaluation.glimpses
        return own > 0 ? own : configuration.stages[stage].glimpses
    }

    private var settings: ModelSettings {
        var settings = ModelSettings()
        settings.seed = configuration.seed
        settings.model = configuration.model
        settings.data = configuration.data
        return settings
    }

    private func makeEvaluator(_ stage: StageName, _ model: Saccader<Float>) throws -> Evaluator {
        try Evaluator(
            model: model, store: store, settings: settings, pool: pool,
            policies: stage == .representation ? [] : [.learned], glimpses: glimpses(stage),
            batchSize: batchSize)
    }
}
