import Collectives
import Foundation

/// What a message between two nodes costs: latency + bytes · secondsPerByte.
struct Link: Sendable {
    /// Seconds until the first byte is there.
    let latency: Double
    /// The time of a byte in each direction, both at the same time.
    let secondsPerByte: Double

    /// A link in the units that networks are sold by.
    init(gigabitsPerSecond: Double, latencyMicroseconds: Double) {
        latency = latencyMicroseconds * 1e-6
        secondsPerByte = 8e-9 / gigabitsPerSecond
    }

    init(latency: Double, secondsPerByte: Double) {
        (self.latency, self.secondsPerByte) = (latency, secondsPerByte)
    }

    /// The inverse of `secondsPerByte`, in Gb/s.
    var gigabitsPerSecond: Double { 8e-9 / secondsPerByte }
}

/// Predicts a step's time on n ranks with a fixed number of images each, from what was measured on
/// one, for the sums as the program forms them: halves along a binary tree, in pieces.
///
/// With latency α and β seconds for a byte of the link, γ seconds to add a byte, w the largest
/// power of two in n, a sum of b bytes takes
///
///     log₂w · (α + b(β + γ))                      up to 16 KiB
///     2 log₂w · α + (1 − 1/w) · b · (2β + γ)      above, each piece of 4 MiB for itself
///     + 2(α + bβ) + bγ                            where n is no power of two
///
/// A step waits for each sum of norms and losses, and after the backward pass for those of the
/// gradients. Beside the backward pass, piece i begins when it is complete and its forerunner
/// summed; the step waits for what is left at the end, and adding takes the core from computing.
/// What ranks wait for the slowest of them at each sum is told beside it (`UnevenTimes`). Left out:
/// links that others use too.
struct ScalingModel: Sendable {
    /// A step on one rank.
    let stepSeconds: Double
    let gradientByteCount: Int
    /// How long the backward pass goes on after each piece is complete.
    let slackSeconds: [Double]
    /// Bytes of the sums of norms and losses.
    let normByteCounts: [Int]
    /// γ.
    var addSecondsPerByte: Double
    /// Seconds of computing between sums, `[steps][sums]`, as they were measured.
    let times: [[Double]]
    /// Speeds of the ranks, repeated in turn; empty: all alike.
    let speeds: [Double]
    /// The same, how many neighbouring sums are taken for one.
    private let unevenTimes: [Int: UnevenTimes]

    /// Describes a step.
    init(
        stepSeconds: Double, gradientByteCount: Int, slackSeconds: [Double],
        normByteCounts: [Int], addSecondsPerByte: Double, times: [[Double]] = [],
        speeds: [Double] = []
    ) {
        (self.stepSeconds, self.gradientByteCount) = (stepSeconds, gradientByteCount)
        (self.slackSeconds, self.normByteCounts) = (slackSeconds, normByteCounts)
        self.addSecondsPerByte = addSecondsPerByte
        (self.times, self.speeds) = (times, speeds)
        unevenTimes = Dictionary(
            uniqueKeysWithValues: [1, 4, Int.max].map { ($0, UnevenTimes(times, joined: $0)) })
    }

    /// How unevenly a rank computes from one sum to the next.
    var uneven: UnevenTimes { unevenTimes[1] ?? UnevenTimes([]) }

    /// A prediction.
    struct Prediction: Sendable {
        let ranks: Int
        /// The sum of all gradients.
        let gradientSeconds: Double
        /// All sums of norms and losses.
        let normSeconds: Double
        /// A step whose gradients are summed after the backward pass, and beside it.
        let afterSeconds: Double
        let besideSeconds: Double
        /// A step on one rank over this one.
        let afterEfficiency: Double
        let besideEfficiency: Double
        /// A step on one rank.
        let stepSeconds: Double
        /// What a step waits for the slowest rank, by how many neighbouring sums are taken for one.
        let waits: [Int: Double]

        /// What a step waits for the slowest rank at its sums.
        var waitSeconds: Double { waits[1] ?? 0 }

        /// `besideEfficiency` with these waits, `joined` neighbouring sums taken for one: 1, 4 or,
        /// where a step has but one, `Int.max`.
        func efficiency(_ joined: Int) -> Double {
            stepSeconds / (besideSeconds + (waits[joined] ?? 0))
        }
    }

    /// One sum over `ranks` ranks.
    func sumSeconds(_ byteCount: Int, ranks: Int, link: Link) -> Double {
        guard ranks > 1 else { return 0 }
        var (width, levels) = (1, 0.0)
        while width * 2 <= ranks { (width, levels) = (width * 2, levels + 1) }
        let bytes = Double(byteCount)
        let (alpha, beta, gamma) = (link.latency, link.secondsPerByte, addSecondsPerByte)
        var seconds =
            byteCount <= SumSize.smallByteCount
            ? levels * (alpha + bytes * (beta + gamma))
            : 2 * levels * alpha + (1 - 1 / Double(width)) * bytes * (2 * beta + gamma)
        if ranks > width { seconds += 2 * (alpha + bytes * beta) + bytes * gamma }
        return seconds
    }

    /// Bytes of each piece of the gradients.
    private var pieces: [Int] {
        stride(from: 0, to: gradientByteCount, by: SumSize.pieceByteCount).map {
            min(SumSize.pieceByteCount, gradientByteCount - $0)
        }
    }

    /// How many pieces the gradients have.
    var pieceCount: Int { pieces.count }

    /// - Parameter coreShare: The part of a sum beside the backward pass that takes the core from
    ///   computing; nil: the additions.
    func predict(ranks: Int, link: Link, coreShare: Double? = nil) -> Prediction {
        let sums = pieces.map { sumSeconds($0, ranks: ranks, link: link) }
        let all = sums.reduce(0, +)
        let norms = normByteCounts.reduce(0) { $0 + sumSeconds($1, ranks: ranks, link: link) }
        // Times count from the end of the backward pass.
        var done = -Double.infinity
        for (sum, slack) in zip(sums, slackSeconds) { done = max(done, -slack) + sum }
        // A single piece has nothing beside it.
        let exposed = sums.count > 1 ? min(all, max(0, done)) : all
        var withoutAdding = self
        withoutAdding.addSecondsPerByte = 0
        let transport = pieces.reduce(0) {
            $0 + withoutAdding.sumSeconds($1, ranks: ranks, link: link)
        }
        let share = coreShare ?? (all > 0 ? 1 - transport / all : 0)
        let after = stepSeconds + norms + all
        let beside = stepSeconds + norms + exposed + (all - exposed) * share
        return Prediction(
            ranks: ranks, gradientSeconds: all, normSeconds: norms, afterSeconds: after,
            besideSeconds: beside, afterEfficiency: stepSeconds / after,
            besideEfficiency: stepSeconds / beside, stepSeconds: stepSeconds,
            waits: unevenTimes.mapValues { $0.waitSeconds(ranks: ranks, speeds: speeds) })
    }
}
