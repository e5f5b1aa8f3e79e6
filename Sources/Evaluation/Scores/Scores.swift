import Models

/// What the policies came to on a set of images.
public struct Scores: Equatable, Sendable {
    /// The network without attention: the mean of all logits.
    public struct MeanLogits: Equatable, Sendable {
        /// Images that are right.
        public var top1 = 0
        /// Images whose class is among the five largest.
        public var top5 = 0
        /// Images looked at.
        public var imageCount = 0
    }

    /// Images looked at.
    public var imageCount = 0
    /// The counts without attention; no images where the model has nothing of the kind.
    public var meanLogits = MeanLogits()
    /// Each policy for 1…T glimpses, once for each draw (only the random policy has several).
    public var policies: [Policy: [PolicyScore]] = [:]
    /// What each policy's first draw says of each image after `verdictGlimpses` glimpses.
    public var verdicts: [Policy: Verdicts] = [:]
    /// What the judged prediction says of each image, if one was asked for.
    public var outcomes: Outcomes?
    /// What a classifier says of the images without the policies' windows, if one was asked.
    public var occlusion: OcclusionScores?

    /// One prediction for each image of a set.
    public struct Verdicts: Equatable, Sendable {
        /// The predicted class.
        public var predictions: [Int]
        /// The cross entropy of the image's class, in millionths.
        public var losses: [Int]
    }

    /// Adds up what several ranks counted.
    mutating func sum(over share: RankShare) throws {
        guard share.count > 1 else { return }
        // One order on all ranks: dictionaries have none.
        let order = Policy.allCases.filter { policies[$0] != nil }
        var counts = [imageCount, meanLogits.top1, meanLogits.top5, meanLogits.imageCount]
        for policy in order {
            for score in policies[policy] ?? [] { counts += score.counts }
            if let verdicts = verdicts[policy] { counts += verdicts.predictions + verdicts.losses }
        }
        counts += outcomes?.counts ?? []
        counts += occlusion?.counts ?? []
        var sums = try share.sum(counts)[...]
        func take(_ count: Int) -> [Int] {
            defer { sums = sums.dropFirst(count) }
            return Array(sums.prefix(count))
        }
        imageCount = take(1)[0]
        let mean = take(3)
        meanLogits = MeanLogits(top1: mean[0], top5: mean[1], imageCount: mean[2])
        for policy in order {
            for draw in (policies[policy] ?? []).indices {
                let count = policies[policy]?[draw].counts.count ?? 0
                policies[policy]?[draw].counts = take(count)
            }
            if let count = verdicts[policy]?.predictions.count {
                verdicts[policy] = Verdicts(predictions: take(count), losses: take(count))
            }
        }
        if let count = outcomes?.counts.count { outcomes?.counts = take(count) }
        if let count = occlusion?.counts.count { occlusion?.counts = take(count) }
    }
}
