import SaccaderModel

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

    /// For each T of the learned policy.
    static func all(_ policies: [String: [EvaluationReport.Entry]]) -> [EqualCoverage] {
        (policies[Policy.learned.rawValue] ?? []).map { entry in
            EqualCoverage(
                glimpses: entry.glimpses, coverage: entry.coverage,
                top1: policies.compactMapValues { top1($0, at: entry.coverage) })
        }
    }

    /// The accuracy at a coverage, between the first two entries around it.
    static func top1(_ entries: [EvaluationReport.Entry], at coverage: Double) -> Double? {
        for (a, b) in zip(entries, entries.dropFirst())
        where a.coverage <= coverage && coverage <= b.coverage && a.coverage < b.coverage {
            let part = (coverage - a.coverage) / (b.coverage - a.coverage)
            return a.top1 + part * (b.top1 - a.top1)
        }
        return nil
    }
}
