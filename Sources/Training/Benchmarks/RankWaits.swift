import Collectives

/// What the ranks waited for in one step, seen from all of them.
///
/// Whoever comes last to a sum waits for the sum itself, the others for that rank too. Where all
/// have equally much to do, the second part is what the machines' other work makes of it.
struct RankWaits: Sendable {
    /// Waits for sums of losses and batch norms, in seconds, the mean of the ranks.
    let normSeconds: Double
    /// The part of it that went by until the last rank had come, the mean of the ranks.
    let imbalanceSeconds: Double
    /// Waits for the sum of gradients, in seconds, the mean of the ranks.
    let gradientSeconds: Double

    /// Waits in seconds: norms' by rank and sum, gradients' by rank.
    init(norms: [[Double]], gradients: [Double]) {
        func mean(_ values: [Double]) -> Double {
            values.reduce(0, +) / Double(max(1, values.count))
        }
        normSeconds = mean(norms.map { $0.reduce(0, +) })
        let sums = (norms.first ?? []).indices.map { sum in norms.map { $0[sum] }.min() ?? 0 }
        imbalanceSeconds = normSeconds - sums.reduce(0, +)
        gradientSeconds = mean(gradients)
    }

    /// Brings together what each rank has seen of the same step; all ranks take part.
    init(_ own: StepCommunication, communicator: any Communicator) throws {
        let all = try communicator.gather(
            own.normSums.map(\.waitSeconds) + [own.gradientSeconds])
        self.init(norms: all.map { $0.dropLast() }, gradients: all.compactMap(\.last))
    }

    /// All of it.
    var seconds: Double { normSeconds + gradientSeconds }
}
