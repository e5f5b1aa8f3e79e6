import Layers

/// The settings of one stage: what every stage has, and the family's own keys beside it.
public protocol StageSettings: Codable, Equatable, Sendable {
    /// Passes over the training images.
    var epochs: Double { get set }
    /// Images of one step, all ranks together.
    var batchSize: Int { get set }
    /// Images of one shard, the unit of work and of summation.
    var shardSize: Int { get set }
    /// The largest learning rate, per step.
    var learningRate: Double { get set }
    /// Epochs in which the learning rate rises linearly from 0.
    var warmupEpochs: Double { get set }
    /// The momentum of Nesterov's method.
    var momentum: Double { get set }
    /// The weights of the classes in the cross entropy.
    var classWeights: ClassWeights { get set }
    /// ε: so much of the target goes to all classes alike.
    var labelSmoothing: Double { get set }
    /// The most that the norm of the gradient of the whole loss, over all parameters in training,
    /// may be; it is scaled down to that. 0: as it is.
    var gradientClip: Double { get set }
    /// The moving average of the weights.
    var ema: AveragingSettings { get set }
    /// The coefficient of a group's L2 term, (l2/2)·Σθ².
    func l2(of group: ParameterGroup) -> Double
    /// The factor of the learning rate for a group's parameters.
    func learningRateFactor(of group: ParameterGroup) -> Double
    /// The settings of the stage's parts, equally long and one after the other.
    var parts: [Self] { get }
    /// The parts that the stage leaves untouched, bit for bit, by path.
    var freeze: [String] { get set }
    /// The words that some keys take.
    static var choices: [String: [String]] { get }
}

extension StageSettings {
    /// By default no key takes words of its own.
    public static var choices: [String: [String]] { [:] }

    /// The same settings all along.
    public var parts: [Self] { [self] }

    /// The part that a step belongs to.
    public func part(step: Int, of count: Int) -> Int {
        let parts = parts.count
        return step < count ? step * parts / count : parts - 1
    }

    /// Whether the stage leaves a parameter or statistic untouched that it would train, by path.
    public func freezes(_ path: String) -> Bool { FreezableParts.isNamed(path, in: freeze) }

    /// The words that keys of every stage take.
    public static var commonChoices: [String: [String]] {
        ["classWeights": ClassWeights.forms]
    }

    /// All groups learn at the stage's rate.
    public func learningRateFactor(of group: ParameterGroup) -> Double { 1 }

    /// The first setting that every stage has and that cannot be used.
    public var commonProblem: SettingProblem? {
        let counts = [
            ("batchSize", batchSize, CountRange.images),
            ("shardSize", shardSize, CountRange.images),
        ]
        if let problem = SettingProblem.first(counts) { return problem }
        let amounts = [
            ("epochs", epochs), ("learningRate", learningRate), ("warmupEpochs", warmupEpochs),
        ]
        if let problem = SettingProblem.firstNegative(amounts) { return problem }
        for (key, value) in [("epochs", epochs), ("warmupEpochs", warmupEpochs)]
        where value > CountRange.mostEpochs {
            return SettingProblem(key, "is \(value): give a number of at most 1000000")
        }
        if !(0..<1).contains(momentum) {
            return SettingProblem(
                "momentum", "is \(momentum): give at least 0 and less than 1")
        }
        if !(0...1).contains(labelSmoothing) {
            return SettingProblem(
                "labelSmoothing", "is \(labelSmoothing): give at least 0 and at most 1")
        }
        if let problem = SettingProblem.firstNegative([("gradientClip", gradientClip)]) {
            return problem
        }
        if let problem = classWeights.problem ?? ema.problem { return problem }
        return nil
    }
}
