import Collectives
import Evaluation
import Families
import Images
import Layers
import Models
import Tensors

/// Scores the model on the development images, all ranks together: exact counts, each image once.
final class DevelopmentScorer {
    private let configuration: RunConfiguration
    private let model: any ModelFamily
    private let store: ParameterStore
    private let pool: ThreadPool
    private let images: ImageSet
    private let communicator: any Communicator
    private let activity: Activity
    private var evaluator: (stage: Stage, evaluator: Evaluator)?

    init(
        configuration: RunConfiguration, model: any ModelFamily, store: ParameterStore,
        pool: ThreadPool, images: ImageSet, communicator: any Communicator, activity: Activity
    ) {
        (self.configuration, self.model, self.store) = (configuration, model, store)
        (self.pool, self.images, self.communicator) = (pool, images, communicator)
        self.activity = activity
    }

    /// The top-1 accuracy by the policy that the stage is scored by, or of whole images where there
    /// is none; nil where there are no development images.
    func score(_ stage: Stage) throws -> Double? {
        guard !images.entries.isEmpty else { return nil }
        let part = Evaluator.part(
            images.entries.count, rank: communicator.rank, of: communicator.size)
        let count: Int = try activity.during(.scoring) {
            // The evaluator of an earlier stage is given back before a new one is planned.
            if evaluator?.stage != stage { evaluator = nil }
            let evaluator = try self.evaluator?.evaluator ?? makeEvaluator(stage)
            self.evaluator = (stage, evaluator)
            let scores = try evaluator.scores(images, range: part) { _ in activity.tick() }
            guard let policy = Families.family(of: stage).scoredPolicy(stage) else {
                return scores.meanLogits.top1
            }
            return scores.policies[policy]?.first?.top1[glimpses(stage) - 1] ?? 0
        }
        let sums = try communicator.sum([count, part.count])
        return Double(sums[0]) / Double(sums[1])
    }

    /// No more than this rank has.
    private var batchSize: Int {
        let most = (images.entries.count + communicator.size - 1) / communicator.size
        return min(configuration.evaluation.batchSize, max(1, most))
    }

    /// T of the scored policy.
    private func glimpses(_ stage: Stage) -> Int {
        let own = configuration.evaluation.glimpses
        if own > 0 { return own }
        return Families.family(of: stage).trainedGlimpses(
            { configuration.stages[$0] }, after: stage)
    }

    private func makeEvaluator(_ stage: Stage) throws -> Evaluator {
        var plan = Evaluator.Plan()
        plan.policies = Families.family(of: stage).scoredPolicy(stage).map { [$0] } ?? []
        (plan.glimpses, plan.batchSize) = (glimpses(stage), batchSize)
        return try Evaluator(
            model: model, store: store, data: configuration.data, seed: configuration.seed,
            pool: pool, plan: plan)
    }
}
