import Models

extension EvaluationReport.MeanLogits {
    /// Sums up checkpoints; nil where they have no logits without attention.
    init?(_ parts: [Scores.MeanLogits]) {
        guard parts.contains(where: { $0.imageCount > 0 }) else { return nil }
        func part(_ count: Int, _ of: Int) -> Double { Double(count) / Double(max(1, of)) }
        let top1 = Repeats(parts.map { part($0.top1, $0.imageCount) })
        let top5 = Repeats(parts.map { part($0.top5, $0.imageCount) })
        self.init(
            top1Count: parts.reduce(0) { $0 + $1.top1 }, top1: top1.mean,
            top5Count: parts.reduce(0) { $0 + $1.top5 }, top5: top5.mean,
            deviation: top1.deviation.map { first in
                EvaluationReport.Deviation(top1: first, top5: top5.deviation ?? 0)
            })
    }
}

extension EvaluationReport.Entry {
    /// Sums up checkpoints, each with its draws, after `glimpses` glimpses.
    init(_ scores: [[PolicyScore]], glimpses: Int) {
        func repeats(_ value: (PolicyScore) -> Double) -> Repeats {
            Repeats(checkpoints: scores.map { $0.map(value) })
        }
        let all = scores.flatMap { $0 }
        let top1 = repeats { $0.accuracy(glimpses) }
        let top5 = repeats { $0.topFive(glimpses) }
        let coverage = repeats { $0.meanCoverage(glimpses) }
        let diversity = repeats { $0.diversity(glimpses) }
        let isKnown = all.allSatisfy { $0.hitRate(glimpses) != nil }
        let hits = isKnown ? repeats { $0.hitRate(glimpses) ?? 0 } : nil
        self.init(
            glimpses: glimpses, repeats: all.count,
            top1Count: all.reduce(0) { $0 + $1.top1[glimpses - 1] }, top1: top1.mean,
            top5Count: all.reduce(0) { $0 + $1.top5[glimpses - 1] }, top5: top5.mean,
            coverage: coverage.mean,
            coverageDeviation: repeats { $0.coverageDeviation(glimpses) }.mean,
            diversity: diversity.mean, hits: hits?.mean,
            deviation: top1.deviation.map { first in
                EvaluationReport.Deviation(
                    top1: first, top5: top5.deviation ?? 0, coverage: coverage.deviation,
                    diversity: diversity.deviation, hits: hits?.deviation)
            })
    }

    /// The entries of all policies for some checkpoints.
    static func all(
        _ scores: [Scores], policies: [Policy], counts: [Int]
    ) -> [String: [EvaluationReport.Entry]] {
        var entries: [String: [EvaluationReport.Entry]] = [:]
        for policy in policies {
            // A checkpoint that cannot follow a policy has no part in its figures.
            let parts = scores.compactMap { $0.policies[policy] }
            if parts.isEmpty { continue }
            entries[policy.rawValue] = counts.map { Self(parts, glimpses: $0) }
        }
        return entries
    }
}
