import Collectives
import Evaluation
import Images
import Layers
import SaccaderModel
import Tensors

/// Scores the model on the development images, all ranks together: exact counts, each image once.
final class DevelopmentScorer {
    private let configuration: RunConfiguration
    private let model: Saccader<Float>
    private let store: ParameterStore
    private let pool: ThreadPool
    private let images: ImageSet
    private let communicator: any Communicator
    private let activity: Activity
    private var evaluators: [StageName: Evaluator] = [:]

    init(
        configuration: RunConfiguration, model: Saccader<Float>, store: ParameterStore,
        pool: ThreadPool, images: ImageSet, communicator: any Communicator, activity: Activity
    ) {
        (self.configuration, self.model, self.store) = (configuration, model, store)
        (self.pool, self.images, self.communicator) = (pool, images, communicator)
        self.activity = activity
    }

    /// The top-1 accuracy: of the mean logits in the first stage, of the learned policy in the
    /// others; nil where there are no development images.
    func score(_ stage: StageName) throws -> Double? {
        guard !images.entries.isEmpty else { return nil }
        let isLearned = stage != .representation
        let glimpses = glimpses(stage)
        let evaluator = evaluators[stage] ?? makeEvaluator(stage)
        evaluators[stage] = evaluator
        let part = Evaluator.part(
            images.entries.count, rank: communicator.rank, of: communicator.size)
        let scores = try activity.during(.scoring) {
            try evaluator.scores(images, range: part) { _ in activity.tick() }
        }
        let correct =
            isLearned
            ? scores.policies[.learned]?.first?.top1[glimpses - 1] : scores.meanLogits.top1
        let sums = try communicator.sum([correct ?? 0, part.count])
        return Double(sums[0]) / Double(sums[1])
    }

    /// T of the learned policy.
    private func glimpses(_ stage: StageName) -> Int {
        let own = configuration.evaluation.glimpses
        return own > 0 ? own : configuration.stages[stage].glimpses
    }

    private func makeEvaluator(_ stage: StageName) -> Evaluator {
        var settings = ModelSettings()
        settings.seed = configuration.seed
        settings.model = configuration.model
        settings.data = configuration.data
        return Evaluator(
            model: model, store: store, settings: settings, pool: pool,
            policies: stage == .representation ? [] : [.learned], glimpses: glimpses(stage),
            batchSize: configuration.evaluation.batchSize)
    }
}
