import Evaluation
import Families
import Host
import Images
import Layers
import Models
import Tensors

/// Bytes that one rank needs while a stage is trained, from the very plan that its steps follow,
/// none of which are taken.
struct StageMemory: Equatable {
    /// The model's numbers, their gradients and momentum.
    var parameters = 0
    /// Activations, gradients between layers and scratch of a step.
    var step = 0
    /// Batches that are loaded ahead.
    var images = 0
    /// Scoring the development images.
    var scoring = 0
    /// The copies of which a checkpoint is written, on the first rank.
    var saving = 0

    /// All of them, and the program.
    var total: Int { parameters + step + images + scoring + saving + HostMemory.programByteCount }

    /// "39.8 GB (a step 38.9 GB, parameters 0.45 GB, …)": without the small ones.
    var description: String {
        let parts = [
            ("a step", step), ("parameters", parameters), ("images", images), ("scores", scoring),
            ("checkpoints", saving),
        ]
        let large = parts.filter { $0.1 * 50 > total }
            .map { "\($0.0) \(HostMemory.gigabytes($0.1))" }
        return HostMemory.gigabytes(total)
            + (large.isEmpty ? "" : " (\(large.joined(separator: ", ")))")
    }
}

/// What is planned, of which the memory is asked: a run, or the steps of a benchmark.
struct MemoryPlan {
    let configuration: RunConfiguration
    /// The one that all ranks agreed on.
    let precision: Precision
    let model: any ModelFamily
    let pool: ThreadPool
    /// The images of an epoch; nil: every batch is a full one.
    let imageCount: Int?
    /// Images that a score looks at; 0: there are no scores.
    let scoredCount: Int
    /// Whether checkpoints are written.
    let saves: Bool
    /// The numbers' places.
    private let store: ParameterStore

    init(
        _ configuration: RunConfiguration, precision: Precision, model: any ModelFamily,
        pool: ThreadPool, imageCount: Int?, scoredCount: Int, saves: Bool
    ) {
        (self.configuration, self.precision, self.model) = (configuration, precision, model)
        (self.pool, self.imageCount) = (pool, imageCount)
        (self.scoredCount, self.saves) = (scoredCount, saves)
        store = ParameterStore(planning: model.layout)
    }

    /// What a rank needs.
    func need(_ stage: Stage, batchSize: Int, rank: Int, of rankCount: Int) throws -> StageMemory {
        var settings = configuration.stages[stage]
        settings.batchSize = batchSize
        let batches = BatchSchedule(
            stage: stage, imageCount: imageCount ?? batchSize, settings: settings,
            seed: configuration.seed, rank: rank, rankCount: rankCount)
        let capacity = batches.capacity
        let steps = try settings.parts.map { part in
            try model.objective(
                stage, settings: part,
                plan: StepPlan(
                    precision: precision, store: store, pool: pool,
                    imageCapacity: capacity.images, shardCapacity: capacity.shards)
            ).byteCount
        }
        let number = MemoryLayout<Float>.stride
        let momentum = number * Optimizer.range(of: stage, settings, in: store).count
        var memory = StageMemory()
        let average = WeightAverage.byteCount(settings.ema, store: store)
        memory.parameters = store.byteCount + momentum + average
        memory.step = steps.max() ?? 0
        memory.images =
            BatchLoader.byteCount(
                images: capacity.images, configuration: configuration.data.forModel(model)
            ).all
        if scoredCount > 0 {
            let plan = DevelopmentScorer.plan(
                stage, configuration: configuration, imageCount: scoredCount, rankCount: rankCount)
            memory.scoring = try Evaluator.byteCount(
                model: model, data: configuration.data, seed: configuration.seed, pool: pool,
                plan: plan)
        }
        if saves && rank == 0 {
            // HDF5 puts the file together in memory, and a copy of it is written.
            memory.saving =
                2
                * (number * (store.layout.trainableCount + store.layout.statisticCount) + momentum
                    + average)
        }
        return memory
    }

    /// The largest need of any of `rankCount` ranks.
    func largestNeed(_ stage: Stage, batchSize: Int, rankCount: Int) throws -> Int {
        // The first rank has the most images, and writes the checkpoints; where the ranks' number
        // is no power of two, the last one may have one shard more.
        try Set([0, rankCount - 1]).map {
            try need(stage, batchSize: batchSize, rank: $0, of: rankCount).total
        }.max() ?? 0
    }
}
