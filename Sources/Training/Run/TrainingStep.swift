import Collectives
import Families
import Foundation
import Layers
import Models
import Tensors

/// What one step came to.
struct StepReport: Sendable {
    let loss: LossReport
    let penalty: Optimizer.Penalty
    let learningRate: Double
    /// The gradient's norm before it was clipped.
    let gradientNorm: Double
    /// Images of all ranks.
    let imageCount: Int
    /// The groups of parameters, each with an L2 term.
    let groups: [ParameterGroup]
    /// Waiting for the other ranks.
    let communication: StepCommunication
    /// Seconds of waiting for images.
    var dataWaitSeconds = 0.0

    /// All terms of the loss.
    var total: Double { groups.reduce(loss.total) { $0 + penalty[$1] } }
}

/// What a step does with a batch: forward, loss, backward, sum over ranks, update.
struct TrainingStep {
    let stage: Stage
    var objective: any Objective
    let optimizer: Optimizer
    let synchronizesNorms: Bool
    let store: ParameterStore
    let pool: ThreadPool
    let communicator: any Communicator
    private let reducer: StepReducer
    /// The statistics of parts that the stage leaves untouched.
    private let frozenStatistics: [Statistic]

    init(
        stage: Stage, settings: any StageSettings, objective: any Objective,
        optimizer: Optimizer, synchronizesNorms: Bool, store: ParameterStore, pool: ThreadPool,
        communicator: any Communicator
    ) {
        (self.stage, self.objective, self.optimizer) = (stage, objective, optimizer)
        self.synchronizesNorms = synchronizesNorms
        (self.store, self.pool, self.communicator) = (store, pool, communicator)
        reducer = StepReducer(communicator, store: store, ranges: optimizer.runs)
        frozenStatistics = store.layout.statistics.filter { settings.freezes($0.path) }
    }

    /// Every rank takes its part of the global batch, and all end with the same numbers.
    ///
    /// - Parameters:
    ///   - overlapsSums: Whether gradients are summed while the backward pass goes on; the bits
    ///     are the same.
    ///   - number: The step's number, for what an error says.
    ///   - name: The name of an image by its place in the batch, for the same.
    func callAsFunction(
        _ batch: TrainingBatch, layout: ShardLayout, learningRate: Double, number: Int,
        overlapsSums: Bool = true, name: (Int) -> String = { "image \($0)" }
    ) throws -> StepReport {
        let pass = Pass(
            pool: pool, reducer: reducer, store: store, workspace: objective.workspace,
            shards: layout.localShards, globalImageCount: layout.imageCount,
            isFirstRank: communicator.rank == 0)
        reducer.begin(overlapping: overlapsSums)
        try objective.forward(batch, pass: pass)
        // The loss and, in the joint stage, the baseline are means over all ranks' images.
        let loss = try objective.loss(batch, pass: pass)
        // Gradients are already divided by the global batch: their sum over ranks is the mean. Each
        // piece's begins as soon as the backward pass has completed it.
        try objective.backward(batch, loss, pass: pass)
        let communication = try reducer.finish()
        if !synchronizesNorms { try averageStatistics() }
        let penalty = optimizer.addDecay(store: store)
        let gradientNorm = optimizer.gradientNorm(store: store)
        try requireFinite(
            loss, gradientNorm, step: number, batch: batch, pass: pass, name: name)
        optimizer.clip(norm: gradientNorm, store: store, pool: pool)
        let isFinite = optimizer.update(store: store, learningRate: learningRate, pool: pool)
        // A huge gradient is finite, and what it makes of the parameters need not be.
        guard isFinite, store.allStatistics.allSatisfy(\.isFinite) else {
            throw TrainingError.notFinite(
                stage: stage.name, step: number + 1,
                what: isFinite ? "a running statistic" : "a parameter after the update", rank: nil,
                images: [])
        }
        return StepReport(
            loss: loss, penalty: penalty, learningRate: learningRate, gradientNorm: gradientNorm,
            imageCount: layout.imageCount, groups: Families.family(of: stage).groups,
            communication: communication)
    }

    /// Without synchronised norms each rank has followed its own images: the mean of all stays.
    private func averageStatistics() throws {
        // A mean of equal numbers may round to another one.
        let kept = frozenStatistics.map { statistic in
            Array(UnsafeBufferPointer(start: store.values(statistic), count: statistic.count))
        }
        defer {
            for (statistic, values) in zip(frozenStatistics, kept) {
                store.values(statistic).update(from: values, count: values.count)
            }
        }
        try communicator.sum(store.allStatistics)
        for index in store.allStatistics.indices {
            store.allStatistics[index] /= Float(communicator.size)
        }
    }

    /// All ranks have the same loss and norm, so they all come to the same end.
    private func requireFinite(
        _ loss: LossReport, _ norm: Double, step: Int, batch: TrainingBatch, pass: Pass,
        name: (Int) -> String
    ) throws {
        if loss.total.isFinite && norm.isFinite { return }
        let diagnosis = try FiniteDiagnosis(
            objective, batch: batch, pass: pass, optimizer: optimizer, communicator: communicator)
        throw TrainingError.notFinite(
            stage: stage.name, step: step + 1,
            what: loss.total.isFinite ? "a gradient" : "the loss", rank: diagnosis.rank,
            images: diagnosis.images.map(name))
    }
}

/// Measures how long something takes, whatever is done to the machine's date meanwhile.
enum Stopwatch {
    /// Seconds since some moment before the program's start.
    static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 }

    /// The result of `body` and its duration in seconds.
    static func time<Result>(_ body: () throws -> Result) rethrows -> (Result, Double) {
        let start = now
        let result = try body()
        return (result, now - start)
    }
}
