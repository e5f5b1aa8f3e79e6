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
            begin(stage)
            let evaluator = try self.evaluator?.evaluator ?? makeEvaluator(stage)
            self.evaluator = (stage, evaluator)
            let scores = try evaluator.scores(images, range: part) { _ in activity.tick() }
            guard let policy = Families.family(of: stage).scoredPolicy(stage) else {
                return scores.meanLogits.top1
            }
            return scores.policies[policy]?.first?.top1[Self.glimpses(stage, configuration) - 1]
                ?? 0
        }
        let sums = try communicator.sum([count, part.count])
        return Double(sums[0]) / Double(sums[1])
    }

    /// What the scored policy looks at on a few development images, the same ones each time; none
    /// before the stage's first score, and where it is scored by no policy.
    ///
    /// - Parameter classes: The word for each label.
    func sheets(_ stage: Stage, classes: [String]) throws -> [PictureSheets.Sheet] {
        guard let evaluator, evaluator.stage == stage,
            let policy = Families.family(of: stage).scoredPolicy(stage)
        else { return [] }
        let all = images.entries.count
        let count = min(Self.pictureCount, all)
        return try activity.during(.scoring) {
            let pictured = try evaluator.evaluator.pictured(
                images, (0..<count).map { $0 * all / count })
            return try PictureSheets(
                pictured, policy: policy, glimpses: Self.glimpses(stage, configuration),
                classes: classes
            ).sheets()
        }
    }

    /// A row of a sheet.
    private static let pictureCount = 6

    /// T of the scored policy.
    private static func glimpses(_ stage: Stage, _ configuration: RunConfiguration) -> Int {
        let own = configuration.evaluation.glimpses
        if own > 0 { return own }
        return Families.family(of: stage).trainedGlimpses(
            { configuration.stages[$0] }, after: stage)
    }

    /// What the scores of a stage look at images with.
    ///
    /// - Parameter imageCount: Development images, of all ranks.
    static func plan(
        _ stage: Stage, configuration: RunConfiguration, imageCount: Int, rankCount: Int
    ) -> Evaluator.Plan {
        // No larger a batch than a rank has images.
        let most = max(1, (imageCount + rankCount - 1) / rankCount)
        var plan = Evaluator.Plan()
        plan.policies = Families.family(of: stage).scoredPolicy(stage).map { [$0] } ?? []
        plan.glimpses = glimpses(stage, configuration)
        plan.batchSize = min(configuration.evaluation.batchSize, most)
        return plan
    }

    private func makeEvaluator(_ stage: Stage) throws -> Evaluator {
        try Evaluator(
            model: model, store: store, data: configuration.data, seed: configuration.seed,
            pool: pool,
            plan: Self.plan(
                stage, configuration: configuration, imageCount: images.entries.count,
                rankCount: communicator.size))
    }

    /// Gives back the memory of another stage's scores, before this one takes its own.
    func begin(_ stage: Stage) {
        if evaluator?.stage != stage { evaluator = nil }
    }
}
