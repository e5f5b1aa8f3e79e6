import Layers
import Models

extension Stage {
    /// A network learns from patches at a frozen model's places.
    public static let glimpse = Stage("glimpse", stream: 6, trains: [.body, .head])
}

/// The settings of the stage `glimpse`. Little is published but that the network was "fine-tuned on
/// these patches"; the defaults are ours.
public struct GlimpseStageSettings: StageSettings {
    /// What the cross entropy is taken of.
    public enum Loss: String, Codable, CaseIterable, Sendable {
        /// The mean of an image's logits.
        case average
        /// The logits of each patch.
        case each
    }

    public var epochs = 10.0
    public var batchSize = 256
    public var shardSize = 1
    public var learningRate = 0.01
    /// The learning rate of the logits' kernel and bias; 0: as everywhere.
    public var headLearningRate = 0.0
    public var warmupEpochs = 1.0
    public var momentum = 0.9
    public var classWeights = ClassWeights.none
    public var labelSmoothing = 0.0
    public var gradientClip = 0.0
    public var ema = AveragingSettings()
    /// λ: L2 on all kernels.
    public var l2 = 5e-5
    /// T, the glimpses of an image.
    public var glimpses = 6
    /// What the cross entropy is taken of.
    public var loss = Loss.average
    /// Parts that the stage leaves untouched: the network's first ones.
    public var freeze: [String] = []

    /// The defaults.
    public init() {}

    public static let choices = ["loss": Loss.allCases.map(\.rawValue)]

    public func l2(of group: ParameterGroup) -> Double { l2 }

    public func learningRateFactor(of group: ParameterGroup) -> Double {
        guard group == .head, headLearningRate > 0, learningRate > 0 else { return 1 }
        return headLearningRate / learningRate
    }

    /// The first setting that cannot be used.
    ///
    /// - Parameter locations: Of an image; nil: no limit.
    func problem(locations: Int?) -> SettingProblem? {
        if let problem = commonProblem { return problem }
        if let problem = SettingProblem.first([("glimpses", glimpses, CountRange.few)]) {
            return problem
        }
        if let locations, glimpses > locations {
            return SettingProblem(
                "glimpses", "is \(glimpses), but there are \(locations) locations")
        }
        if headLearningRate > 0 && learningRate == 0 {
            return SettingProblem(
                "headLearningRate", "is \(headLearningRate) with learningRate 0: give that more")
        }
        return SettingProblem.firstNegative([
            ("l2", l2), ("headLearningRate", headLearningRate),
        ])
    }
}
