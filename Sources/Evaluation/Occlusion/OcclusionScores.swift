import Models

/// How a classifier fares on images without the windows of each policy, as exact counts.
public struct OcclusionScores: Equatable, Sendable {
    /// Images that are right.
    public struct Tally: Equatable, Sendable {
        /// Images whose class has the largest logit.
        public var top1 = 0
        /// Images whose class is among the five largest.
        public var top5 = 0

        static func += (sum: inout Tally, part: Tally) {
            sum.top1 += part.top1
            sum.top5 += part.top5
        }
    }

    /// Numbers of glimpses, increasing.
    public let glimpses: [Int]
    /// The images as they are.
    public var intact = Tally()
    /// The images without each policy's windows: its draws, of each one tally for each of
    /// `glimpses`.
    public var policies: [Policy: [[Tally]]]

    /// - Parameter policies: Each policy and how often it is drawn.
    init(policies: [Policy: Int], glimpses: [Int]) {
        self.glimpses = glimpses
        let none = [Tally](repeating: Tally(), count: glimpses.count)
        self.policies = policies.mapValues { [[Tally]](repeating: none, count: $0) }
    }

    /// All counts, in an order that is the same on all ranks.
    var counts: [Int] {
        get {
            let tallies = Policy.allCases.flatMap { (policies[$0] ?? []).flatMap { $0 } }
            return ([intact] + tallies).flatMap { [$0.top1, $0.top5] }
        }
        set {
            var tallies = stride(from: 0, to: newValue.count, by: 2).map {
                Tally(top1: newValue[$0], top5: newValue[$0 + 1])
            }[...]
            intact = tallies.removeFirst()
            for policy in Policy.allCases {
                for draw in (policies[policy] ?? []).indices {
                    policies[policy]?[draw] = Array(tallies.prefix(glimpses.count))
                    tallies = tallies.dropFirst(glimpses.count)
                }
            }
        }
    }
}
