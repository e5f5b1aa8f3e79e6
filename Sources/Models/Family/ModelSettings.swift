import Layers

/// What a family reads below the key `model`: its own keys, and those that it shares with others.
public protocol ModelSettings: Codable, Equatable, Sendable {
    /// The published model.
    init()
    /// c, the number of classes; ImageNet with a background class has 1001.
    var classes: Int { get set }
    /// The settings of all batch norms.
    var batchNorm: BatchNormConfiguration { get set }
    /// The words that some keys take, by their path below `model`.
    static var choices: [String: [String]] { get }
}

extension ModelSettings {
    /// By default no key takes words of its own.
    public static var choices: [String: [String]] { [:] }

    /// The first of the shared settings that cannot be used.
    public var commonProblem: SettingProblem? {
        if let problem = SettingProblem.first([("classes", classes, CountRange.classes)]) {
            return problem
        }
        if !(batchNorm.epsilon > 0 && batchNorm.epsilon <= 1)
            || !(0..<1).contains(batchNorm.momentum)
        {
            return SettingProblem("batchNorm", "needs epsilon in (0, 1] and momentum in [0, 1)")
        }
        return nil
    }
}

/// Defaults that families share.
public enum SharedDefaults {
    /// ImageNet's classes and a background class.
    public static let classes = 1001
}
