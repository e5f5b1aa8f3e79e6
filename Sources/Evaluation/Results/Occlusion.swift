import Models

/// What a classifier, trained apart, says of the images when the windows that a policy chose are
/// taken out (paper fig. 5b): the more it loses, the more those windows mattered.
public struct Occlusion: Codable, Equatable, Sendable {
    /// The images without the windows of a policy's first T glimpses.
    public struct Entry: Codable, Equatable, Sendable {
        /// T.
        public let glimpses: Int
        /// Measurements that the counts add up: checkpoints × draws. The parts are their means.
        public let repeats: Int
        /// Images that the classifier still has right.
        public let top1Count: Int
        /// The part of images.
        public let top1: Double
        /// Images whose class is among the five largest logits.
        public let top5Count: Int
        /// The part of all images.
        public let top5: Double
        /// What the classifier has lost: the top-1 accuracy on whole images less `top1`.
        public let drop: Double
        /// The mean part of an image's pixels that is taken out.
        public let coverage: Double
        /// Standard deviations over checkpoints or, of a single checkpoint, over the random
        /// policy's draws; left out for a single measurement.
        public let deviation: EvaluationReport.Deviation?
    }

    /// The classifier's checkpoint.
    public let classifier: String
    /// Where it comes from; told once for all checkpoints.
    public var provenance: Provenance?
    /// Whole images that the classifier has right.
    public let intactTop1Count: Int
    /// The part of all images.
    public let intactTop1: Double
    /// Whole images whose class is among the five largest logits.
    public let intactTop5Count: Int
    /// The part of all images.
    public let intactTop5: Double
    /// The entries by policy.
    public let policies: [String: [Entry]]
    /// The accuracies where as much is taken out as by the learned policy.
    public let equalCoverage: [EqualCoverage]

    /// Sums up checkpoints; nil where none was judged.
    init?(_ scores: [Scores], classifier: String) {
        let parts = scores.compactMap(\.occlusion)
        guard let first = parts.first, parts.count == scores.count else { return nil }
        func part(_ count: Int) -> Double {
            Double(count) / Double(max(1, scores[0].imageCount))
        }
        self.classifier = classifier
        (intactTop1Count, intactTop5Count) = (first.intact.top1, first.intact.top5)
        (intactTop1, intactTop5) = (part(first.intact.top1), part(first.intact.top5))
        let intact = intactTop1
        func entries(_ scores: [Scores], _ policy: Policy) -> [Entry] {
            first.glimpses.enumerated().compactMap { index, glimpses in
                // Checkpoints, each with its draws.
                let tallies = scores.compactMap {
                    $0.occlusion?.policies[policy]?.map { $0[index] }
                }
                let coverages = scores.compactMap {
                    $0.policies[policy]?.map { $0.meanCoverage(glimpses) }
                }
                guard tallies.count == scores.count, coverages.count == scores.count else {
                    return nil
                }
                let all = tallies.flatMap { $0 }
                let top1 = Repeats(checkpoints: tallies.map { $0.map { part($0.top1) } })
                let top5 = Repeats(checkpoints: tallies.map { $0.map { part($0.top5) } })
                let coverage = Repeats(checkpoints: coverages)
                return Entry(
                    glimpses: glimpses, repeats: all.count,
                    top1Count: all.reduce(0) { $0 + $1.top1 }, top1: top1.mean,
                    top5Count: all.reduce(0) { $0 + $1.top5 },
                    top5: top5.mean, drop: intact - top1.mean, coverage: coverage.mean,
                    deviation: top1.deviation.map {
                        EvaluationReport.Deviation(
                            top1: $0, top5: top5.deviation ?? 0, coverage: coverage.deviation)
                    })
            }
        }
        func all(_ scores: [Scores]) -> [String: [Entry]] {
            Dictionary(
                uniqueKeysWithValues: Policy.allCases.filter { first.policies[$0] != nil }
                    .map { ($0.rawValue, entries(scores, $0)) })
        }
        policies = all(scores)
        equalCoverage = EqualCoverage.all(
            scores.map { all([$0]).mapValues { $0.map(\.seen) } }, counts: first.glimpses)
    }
}

extension Occlusion.Entry {
    /// The accuracy and what was taken out for it.
    var seen: EqualCoverage.Seen {
        EqualCoverage.Seen(glimpses: glimpses, coverage: coverage, top1: top1)
    }
}
