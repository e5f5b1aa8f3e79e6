import Collectives
import Families
import Layers
import Models
import Synchronization
import Tensors

/// Finds out on which rank a step's numbers stopped being finite, and in which of its images.
///
/// Sums over ranks carry one rank's infinity to all. So the step is computed once more, from the
/// same parameters to the same numbers, with a look at each rank's own part of every sum.
struct FiniteDiagnosis {
    /// The first rank whose own numbers were not finite; nil where those of every rank are, and
    /// only their sum is too large.
    let rank: Int?
    /// Places within that rank's batch; all of them where they cannot be told apart. Empty on the
    /// other ranks.
    let images: [Int]

    /// Sums as they are, and records the first one to which this rank gave a number that is not
    /// finite.
    private final class NotingReducer: SumReducer {
        let base: any SumReducer
        let count = Atomic<Int>(0)
        let firstBad = Atomic<Int>(.max)
        /// The first sum whose result was not finite, whoever is to blame.
        let firstBadResult = Atomic<Int>(.max)

        init(_ base: any SumReducer) { self.base = base }

        func sum(_ values: UnsafeMutableBufferPointer<Double>) throws {
            let number = record(values.allSatisfy(\.isFinite))
            try base.sum(values)
            if !values.allSatisfy(\.isFinite) { firstBadResult.min(number, ordering: .relaxed) }
        }

        /// - Returns: The sum's number, from 0.
        @discardableResult func record(_ isFinite: Bool) -> Int {
            let number = count.add(1, ordering: .relaxed).oldValue
            if !isFinite { firstBad.min(number, ordering: .relaxed) }
            return number
        }
    }

    /// Computes the step again; every rank does so.
    init(
        _ objective: any Objective, batch: TrainingBatch, pass: Pass, optimizer: Optimizer,
        communicator: any Communicator
    ) throws {
        let reducer = NotingReducer(pass.reducer)
        let pass = Pass(
            pool: pass.pool, reducer: reducer, store: pass.store, workspace: pass.workspace,
            shards: pass.shards, globalImageCount: pass.globalImageCount,
            isFirstRank: pass.isFirstRank)
        try objective.forward(batch, pass: pass)
        let loss = try objective.loss(batch, pass: pass)
        let suspects = Self.notFinite(
            objective.trace(imageCount: batch.labels.count), imageCount: batch.labels.count)
        try objective.backward(batch, loss, pass: pass)
        reducer.record(
            optimizer.runs.allSatisfy { pass.store.allGradients[$0].allSatisfy(\.isFinite) })

        // What follows on a sum that is not finite is nobody's fault any more.
        let last = min(
            reducer.firstBadResult.load(ordering: .relaxed),
            reducer.count.load(ordering: .relaxed) - 1)
        var firsts = [Int](repeating: 0, count: communicator.size)
        firsts[communicator.rank] = min(reducer.firstBad.load(ordering: .relaxed), last + 1)
        rank = Self.firstRank(try communicator.sum(firsts), upTo: last)
        images = rank == communicator.rank ? suspects : []
    }

    /// The rank that was first to give a number that is not finite.
    ///
    /// - Parameters:
    ///   - firsts: Of each rank the number of the first sum to which it gave one.
    ///   - last: The first sum that was not finite.
    static func firstRank(_ firsts: [Int], upTo last: Int) -> Int? {
        firsts.indices.filter { firsts[$0] <= last }.min { firsts[$0] < firsts[$1] }
    }

    /// The images whose rows are not finite in the first array that has such.
    static func notFinite(_ arrays: [TracedArray], imageCount: Int) -> [Int] {
        for array in arrays where array.shape.first == imageCount {
            guard case .floats(let values) = array.values else { continue }
            let length = values.count / max(1, imageCount)
            let bad = (0..<imageCount).filter { image in
                !values[(image * length)..<((image + 1) * length)].allSatisfy(\.isFinite)
            }
            if !bad.isEmpty { return bad }
        }
        return Array(0..<imageCount)
    }
}
