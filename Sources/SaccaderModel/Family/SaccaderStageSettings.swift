import Layers
import Models

extension ParameterGroup {
    /// The representation network.
    static let representation = ParameterGroup("representation", l2Name: "l2Representation")
    /// Attention, mixing and cell.
    static let location = ParameterGroup("location", l2Name: "l2Location")
}

/// The three stages of training, in their order (Method: Stages).
extension Stage {
    /// The representation network alone.
    public static let representation = Stage(
        "representation", stream: 0, trains: [.representation])
    /// Attention, mixing and cell learn to go to the largest logits.
    public static let location = Stage("location", stream: 1, trains: [.location])
    /// Everything, by policy gradient and cross entropy.
    public static let joint = Stage("joint", stream: 2, trains: [.representation, .location])
}

/// How the location stage orders its targets.
public enum TargetOrder: String, Codable, CaseIterable, Sendable {
    /// By the largest logit over classes at each location (the paper).
    case maxLogit
    /// By the logit of the class that the mean logits predict (published code).
    case predictedClass
}

/// The settings of one stage.
///
/// The learning rate, batch size and warm-up of the paper are not in the text that we have; the
/// defaults are ours, 0.1 per 256 images being the usual choice for networks of this kind.
public struct SaccaderStageSettings: StageSettings {
    public var epochs = 120.0
    public var batchSize = 256
    public var shardSize = 1
    public var learningRate = 0.1
    public var warmupEpochs = 5.0
    public var momentum = 0.9
    public var classWeights = ClassWeights.none
    public var labelSmoothing = 0.0
    public var gradientClip = 0.0
    public var ema = AveragingSettings()
    /// λ of eq. 4 and 6: L2 on the kernels of the representation network.
    public var l2 = 8e-5
    /// ν of eq. 5 and 6: L2 on the kernels of attention and mixing and on a.
    public var l2Location = 8e-5
    /// T, the glimpses of an image.
    public var glimpses = 12
    /// S, sampled trajectories per image.
    public var samples = 1
    /// w_R of eq. 6; the joint stage's default is the published code's 1/(S·T), an average over
    /// samples and glimpses: with a plain sum the policy's noise drowns the cross entropy.
    public var reinforceWeight = 1.0
    /// The order of the location stage's targets.
    public var targetOrder = TargetOrder.maxLogit
    /// Parts that the stage leaves untouched, such as `representation`: the model's first ones.
    public var freeze: [String] = []
    /// Batch norm of the frozen representation network in the location stage.
    public var frozenNorm = NormMode.inference

    /// The defaults of a stage.
    public init(_ stage: Stage) {
        if stage == .joint {
            glimpses = 6
            samples = 2
            reinforceWeight = 1 / 12
            learningRate = 0.02
        }
    }

    public static let choices = [
        "targetOrder": TargetOrder.allCases.map(\.rawValue),
        "frozenNorm": NormMode.allCases.map(\.rawValue),
    ]

    public func l2(of group: ParameterGroup) -> Double {
        group == .location ? l2Location : l2
    }

    /// The first setting of the classes' cross entropy that is given to a stage without one.
    private func problemWithoutClasses(_ stage: Stage) -> SettingProblem? {
        let isGiven = [
            ("classWeights", classWeights != .none), ("labelSmoothing", labelSmoothing != 0),
        ]
        guard stage == .location, let given = isGiven.first(where: \.1) else { return nil }
        return SettingProblem(
            given.0,
            "is of no use: the stage location learns places and has no cross entropy of classes; "
                + "leave it out")
    }

    /// The first setting that a stage cannot be trained with.
    ///
    /// - Parameter locations: Of an image.
    func problem(of stage: Stage, locations: Int) -> SettingProblem? {
        if let problem = commonProblem ?? problemWithoutClasses(stage) { return problem }
        let counts = [
            ("glimpses", glimpses, CountRange.images), ("samples", samples, CountRange.few),
        ]
        if let problem = SettingProblem.first(counts) { return problem }
        if glimpses > locations {
            return SettingProblem(
                "glimpses", "is \(glimpses), but there are \(locations) locations")
        }
        return SettingProblem.firstNegative([
            ("l2", l2), ("l2Location", l2Location), ("reinforceWeight", reinforceWeight),
        ])
    }
}
