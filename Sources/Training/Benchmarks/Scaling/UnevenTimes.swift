import Foundation

/// How unevenly a rank computes from one sum over ranks to the next, and what many ranks wait for it.
///
/// At each sum all wait for the slowest. A rank's time between two sums is taken to be its median
/// times a factor, the factors to be independent of each other and distributed as all that were
/// measured, each with the weight of its median. With F their distribution and v the ranks' speeds,
/// the slowest of n ranks takes, on average, ∫₀^∞ (1 − ∏ᵢ F(x·vᵢ)) dx medians.
///
/// A factor larger than all that were measured is not expected: with few steps what 1,024 ranks wait
/// is too small.
struct UnevenTimes: Sendable {
    /// The medians of a step's times between sums, in seconds, together.
    let seconds: Double
    /// The measured factors, ascending, and the part of all that lies at or below each.
    private let factors: [(value: Double, share: Double)]

    /// Takes times between sums in seconds, `[steps][sums]`, as many in each step.
    ///
    /// - Parameter joined: How many neighbouring sums are taken for one.
    init(_ steps: [[Double]], joined: Int = 1) {
        let count = steps.map(\.count).min() ?? 0
        var (seconds, weighted): (Double, [(value: Double, weight: Double)]) = (0, [])
        for first in stride(from: 0, to: count, by: max(1, joined)) {
            let times = steps.map { $0[first..<min(count, first + max(1, joined))].reduce(0, +) }
            let median = times.median
            guard median > 0 else { continue }
            seconds += median
            weighted += times.map { ($0 / median, median) }
        }
        weighted.sort { $0.value < $1.value }
        let all = weighted.reduce(0) { $0 + $1.weight }
        var sum = 0.0
        factors = weighted.map {
            sum += $0.weight
            return ($0.value, sum / all)
        }
        self.seconds = seconds
    }

    /// The factors' standard deviation.
    var deviation: Double {
        var (last, mean, square) = (0.0, 0.0, 0.0)
        for (value, share) in factors {
            mean += (share - last) * value
            square += (share - last) * value * value
            last = share
        }
        return max(0, square - mean * mean).squareRoot()
    }

    /// The part of all factors that is at most `value`.
    private func share(atMost value: Double) -> Double {
        var (low, high) = (0, factors.count)
        while low < high {
            let middle = (low + high) / 2
            if factors[middle].value <= value { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? factors[low - 1].share : 0
    }

    /// The expected time of the slowest of `ranks` ranks, in medians of a rank of speed 1.
    ///
    /// - Parameter speeds: Of the ranks, repeated in turn; empty: all 1.
    func slowest(ofRanks ranks: Int, speeds: [Double] = []) -> Double {
        let kinds = (speeds.isEmpty ? [1] : speeds).enumerated().compactMap { index, speed in
            let others = max(1, speeds.count)
            let count = ranks / others + (index < ranks % others ? 1 : 0)
            return count > 0 ? (speed: speed, count: Double(count)) : nil
        }
        let places = kinds.flatMap { kind in factors.map { $0.value / kind.speed } }.sorted()
        var (last, expected) = (0.0, 0.0)
        for place in places {
            // Rounding must not lose the factor that the place comes from.
            let below = kinds.reduce(1) {
                $0 * pow(share(atMost: place * $1.speed * (1 + 1e-12)), $1.count)
            }
            expected += (below - last) * place
            last = below
        }
        return expected
    }

    /// The seconds of a step that `ranks` ranks wait for the slowest at their sums, beyond what one
    /// of the first speed takes alone.
    func waitSeconds(ranks: Int, speeds: [Double] = []) -> Double {
        let alone = slowest(ofRanks: 1, speeds: speeds.first.map { [$0] } ?? [])
        return seconds * max(0, slowest(ofRanks: ranks, speeds: speeds) - alone)
    }
}
