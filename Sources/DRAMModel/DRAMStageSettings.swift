import Layers
import Models

/// The settings of the DRAM's two stages; none are published, so the defaults are ours but for the
/// policy's.
public struct DRAMStageSettings: StageSettings {
    /// Which glimpses' logits the cross entropy is taken of.
    public enum Glimpses: String, Codable, CaseIterable, Sendable {
        /// Those of the last glimpse.
        case last
        /// Those of every glimpse.
        case everyGlimpse
    }

    /// Which glimpses' right answers reward a location.
    public enum Reward: String, Codable, CaseIterable, Sendable {
        /// That of the last glimpse, for all locations alike.
        case last
        /// That of the location's own glimpse.
        case everyGlimpse
        /// The mean over the location's own glimpse and those after it: a location answers for all
        /// that it has an influence on, and for nothing before it.
        case remainingGlimpses
    }

    /// What a glimpse's logits are worth.
    public enum Worth: String, Codable, CaseIterable, Sendable {
        /// 1 where the largest logit is the label's, else 0, as published.
        case correct
        /// The label's probability: the same aim, with less chance in it.
        case probability
    }

    /// What a reward is compared with.
    public enum Baseline: String, Codable, CaseIterable, Sendable {
        /// The mean reward of all images, samples and glimpses of the batch, as published.
        case batch
        /// The mean over images and samples of the rewards of the same glimpse: later ones are
        /// right more often, which is no merit of their locations.
        case glimpse
        /// What the glimpse before was worth, on which a location has no influence either, and the
        /// mean of what is left as with `glimpse`: with the reward `everyGlimpse` the gain that a
        /// location brings.
        case previousGlimpse
    }

    /// Where the gradient of the policy ends.
    public enum StopGradient: String, Codable, CaseIterable, Sendable {
        /// Nowhere: it reaches all networks.
        case none
        /// At the location cell's input.
        case betweenCells
        /// No gradient at all reaches the glimpse network.
        case afterGlimpse
    }

    public var epochs = 120.0
    public var batchSize = 256
    public var shardSize = 4
    public var learningRate = 0.1
    public var warmupEpochs = 5.0
    public var momentum = 0.9
    public var classWeights = ClassWeights.none
    public var labelSmoothing = 0.0
    public var gradientClip = 0.0
    public var ema = AveragingSettings()
    /// λ: L2 on the kernels of the glimpse network, the classification cell and the logits.
    public var l2 = 8e-5
    /// ν: L2 on the kernels of the location cell and the emission.
    public var l2Location = 0.0
    /// T, the glimpses of an image.
    public var glimpses = 6
    /// T in the stage's first parts, which are as long as the one with all `glimpses` that follows
    /// them: a policy learns where to look first before it learns where to look next. Empty: all
    /// glimpses from the beginning.
    public var firstGlimpses: [Int] = []
    /// S, sampled trajectories per image.
    public var samples = 1
    /// What the cross entropy is taken of.
    public var classification = Glimpses.last
    /// w_R, which multiplies a sum over samples and glimpses; the default is the published 0.1 of
    /// a mean over them, 0.1/(S·T), for one sample and six glimpses. Of no use while pretraining.
    public var reinforceWeight = 0.1 / 6
    /// σ_L, the policy's standard deviation; 1 is half the image's side. Of no use while
    /// pretraining.
    public var deviation = 0.1
    /// σ_L at the stage's end, which it comes to linearly; 0: it stays as it is.
    public var finalDeviation = 0.0
    /// What the reward is taken of. Of no use while pretraining.
    public var reward = Reward.last
    /// What the rewarded logits are worth. Of no use while pretraining.
    public var rewardWorth = Worth.correct
    /// What the reward is compared with. Of no use while pretraining.
    public var baseline = Baseline.batch
    /// The learning rate of the location cell and the emission, as a multiple of the stage's.
    public var locationLearningRateFactor = 1.0
    /// Where the gradient ends. Of no use while pretraining.
    public var stopGradient = StopGradient.none
    /// Parts that the stage leaves untouched: the first ones of the glimpse network, and of what
    /// follows it any. Gradients pass through a frozen cell to what is trained before it.
    public var freeze: [String] = []

    /// The defaults, of both stages alike.
    public init() {}

    public static let choices = [
        "classification": Glimpses.allCases.map(\.rawValue),
        "reward": Reward.allCases.map(\.rawValue),
        "rewardWorth": Worth.allCases.map(\.rawValue),
        "baseline": Baseline.allCases.map(\.rawValue),
        "stopGradient": StopGradient.allCases.map(\.rawValue),
    ]

    public var parts: [DRAMStageSettings] {
        (firstGlimpses + [glimpses]).map { count in
            var part = self
            (part.glimpses, part.firstGlimpses) = (count, [])
            return part
        }
    }

    public func l2(of group: ParameterGroup) -> Double { group == .policy ? l2Location : l2 }

    public func learningRateFactor(of group: ParameterGroup) -> Double {
        group == .policy ? locationLearningRateFactor : 1
    }

    /// The first setting that cannot be used.
    public var problem: SettingProblem? {
        if let problem = commonProblem { return problem }
        let counts = [("glimpses", glimpses, CountRange.few), ("samples", samples, CountRange.few)]
        if let problem = SettingProblem.first(counts) { return problem }
        if let count = firstGlimpses.first(where: { !(1...glimpses).contains($0) }) {
            return SettingProblem(
                "firstGlimpses", "has \(count): give numbers from 1 to glimpses, \(glimpses)")
        }
        if firstGlimpses.count > CountRange.few.upperBound {
            return SettingProblem(
                "firstGlimpses",
                "has \(firstGlimpses.count) numbers: give at most \(CountRange.few.upperBound)")
        }
        if !(deviation > 0 && deviation <= 10) {
            return SettingProblem(
                "deviation", "is \(deviation): give more than 0, at most 10")
        }
        if !(finalDeviation >= 0 && finalDeviation <= 10) {
            return SettingProblem(
                "finalDeviation", "is \(finalDeviation): give 0, or more, at most 10")
        }
        return SettingProblem.firstNegative([
            ("locationLearningRateFactor", locationLearningRateFactor), ("l2", l2),
            ("l2Location", l2Location), ("reinforceWeight", reinforceWeight),
        ])
    }

    /// σ_L where a part of the stage is done.
    ///
    /// - Parameter progress: 0 to 1.
    func deviation(at progress: Double) -> Double {
        finalDeviation > 0 ? deviation + (finalDeviation - deviation) * progress : deviation
    }
}
