import Models

/// How accurate the policies are where they have seen as much of the images as the learned policy
/// after some glimpses: a policy whose windows overlap needs more of them.
public struct EqualCoverage: Codable, Equatable, Sendable {
    /// T of the learned policy.
    public let glimpses: Int
    /// The mean part of an image that it has then seen.
    public let coverage: Double
    /// Each policy's top-1 accuracy there, linear between the two nearest T; left out where the
    /// policy never sees so much, or so little.
    public let top1: [String: Double]
    /// Standard deviations over checkpoints, each compared at its own coverage; left out for one.
    public let deviation: [String: Double]?

    /// An accuracy and the part of an image that goes with it.
    struct Seen {
        let glimpses: Int
        let coverage: Double
        let top1: Double
    }

    /// Compares for some T of the learned policy.
    ///
    /// - Parameter checkpoints: Each checkpoint's accuracies for increasing T.
    static func all(_ checkpoints: [[String: [Seen]]], counts: [Int]) -> [EqualCoverage] {
        counts.compactMap { glimpses in
            let learned = checkpoints.compactMap {
                $0[Policy.learned.rawValue]?.first { $0.glimpses == glimpses }
            }
            guard learned.count == checkpoints.count, !learned.isEmpty else { return nil }
            var repeats: [String: Repeats] = [:]
            for policy in Policy.allCases.map(\.rawValue) {
                let values = zip(checkpoints, learned).compactMap { entries, learned in
                    top1(entries[policy] ?? [], at: learned.coverage)
                }
                if values.count == learned.count { repeats[policy] = Repeats(values) }
            }
            return EqualCoverage(
                glimpses: glimpses, coverage: Repeats(learned.map(\.coverage)).mean,
                top1: repeats.mapValues(\.mean),
                deviation: learned.count > 1 ? repeats.compactMapValues(\.deviation) : nil)
        }
    }

    /// The accuracy at a coverage, between the first two entries around it.
    static func top1(_ entries: [Seen], at coverage: Double) -> Double? {
        for (a, b) in zip(entries, entries.dropFirst())
        where a.coverage <= coverage && coverage <= b.coverage && a.coverage < b.coverage {
            let part = (coverage - a.coverage) / (b.coverage - a.coverage)
            return a.top1 + part * (b.top1 - a.top1)
        }
        return nil
    }
}

extension EvaluationReport.Entry {
    /// The accuracy and what it took to see.
    var seen: EqualCoverage.Seen {
        EqualCoverage.Seen(glimpses: glimpses, coverage: coverage, top1: top1)
    }
}
