import Collectives
import Foundation
import Layers
import SaccaderModel
import Tensors

/// What one step came to.
struct StepReport: Sendable {
    let loss: LossReport
    let penalty: Optimizer.Penalty
    let learningRate: Double
    let gradientNorm: Double
    /// Images of all ranks.
    let imageCount: Int
    /// Waiting for and adding the gradients of all ranks.
    let allReduceSeconds: Double
    /// Waiting for images.
    var dataWaitSeconds = 0.0

    /// All terms of the loss.
    var total: Double { loss.total + penalty.representation + penalty.location }
}

/// Sums inside a step go through the run's ranks.
struct RankReducer: SumReducer {
    let communicator: any Communicator

    func sum(_ values: UnsafeMutableBufferPointer<Double>) throws {
        try communicator.sum(values)
    }
}

/// What a step does with a batch: forward, loss, backward, sum over ranks, update.
struct TrainingStep {
    let stage: StageName
    let objective: any Objective
    let optimizer: Optimizer
    let synchronizesNorms: Bool
    let store: ParameterStore
    let pool: ThreadPool
    let communicator: any Communicator

    /// Every rank takes its part of the global batch, and all end with the same numbers.
    ///
    /// - Parameters:
    ///   - number: The step's number, for what an error says.
    ///   - name: The name of an image by its place in the batch, for the same.
    func callAsFunction(
        _ batch: TrainingBatch, layout: ShardLayout, learningRate: Double, number: Int,
        name: (Int) -> String = { "image \($0)" }
    ) throws -> StepReport {
        let pass = Pass(
            pool: pool, reducer: RankReducer(communicator: communicator), store: store,
            workspace: objective.workspace, shards: layout.localShards,
            globalImageCount: layout.imageCount, isFirstRank: communicator.rank == 0)
        try objective.forward(batch, pass: pass)
        // The loss and, in the joint stage, the baseline are means over all ranks' images.
        let loss = try objective.loss(batch, pass: pass)
        try objective.backward(batch, loss, pass: pass)
        let (_, allReduce) = try Stopwatch.time { try sumOverRanks() }
        let penalty = optimizer.addDecay(store: store)
        let gradientNorm = optimizer.gradientNorm(store: store)
        try requireFinite(
            loss, gradientNorm, step: number, batch: batch, pass: pass, name: name)
        optimizer.update(store: store, learningRate: learningRate, pool: pool)
        return StepReport(
            loss: loss, penalty: penalty, learningRate: learningRate, gradientNorm: gradientNorm,
            imageCount: layout.imageCount, allReduceSeconds: allReduce)
    }

    /// Gradients are already divided by the global batch: their sum is the mean.
    private func sumOverRanks() throws {
        try communicator.sum(
            UnsafeMutableBufferPointer(rebasing: store.allGradients[optimizer.range]))
        guard !synchronizesNorms else { return }
        // Without synchronised norms each rank has followed its own images: the mean of all stays.
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
            stage: stage.rawValue, step: step + 1,
            what: loss.total.isFinite ? "a gradient" : "the loss", rank: diagnosis.rank,
            images: diagnosis.images.map(name))
    }
}

/// Measures how long something takes.
enum Stopwatch {
    /// The result of `body` and its duration in seconds.
    static func time<Result>(_ body: () throws -> Result) rethrows -> (Result, Double) {
        let start = DispatchTime.now().uptimeNanoseconds
        let result = try body()
        return (result, Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9)
    }
}
