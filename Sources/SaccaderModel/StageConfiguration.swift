import Layers

/// The three stages of training, in their order (method §2), and the classifier's own.
public enum StageName: String, Codable, CaseIterable, Comparable, Sendable {
    /// The representation network alone.
    case representation
    /// Attention, mixing and cell learn to go to the largest logits.
    case location
    /// Everything, by policy gradient and cross entropy.
    case joint
    /// The classifier that judges occluded images; no part of the Saccader.
    case classifier

    /// The stages of the same model, in their order.
    public var siblings: [StageName] {
        self == .classifier ? [.classifier] : [.representation, .location, .joint]
    }

    /// The stage's place in the order, from 0: part of random numbers' keys.
    public var index: Int {
        switch self {
        case .representation: 0
        case .location: 1
        case .joint: 2
        case .classifier: 3
        }
    }

    /// The order of training.
    public static func < (left: StageName, right: StageName) -> Bool { left.index < right.index }
}

/// How the location stage orders its targets.
public enum TargetOrder: String, Codable, Sendable {
    /// By the largest logit over classes at each location (the paper).
    case maxLogit
    /// By the logit of the class that the mean logits predict (published code).
    case predictedClass
}

/// The settings of one stage.
///
/// The learning rate, batch size and warm-up of the paper are not in the text that we have; the
/// defaults are ours, 0.1 per 256 images being the usual choice for networks of this kind.
public struct StageConfiguration: Codable, Equatable, Sendable {
    /// Passes over the training images.
    public var epochs = 120.0
    /// Images of one step, all ranks together.
    public var batchSize = 256
    /// Images of one shard, the unit of work and of summation.
    public var shardSize = 1
    /// The largest learning rate, per step.
    public var learningRate = 0.1
    /// Epochs in which the learning rate rises linearly from 0.
    public var warmupEpochs = 5.0
    /// Of Nesterov's method.
    public var momentum = 0.9
    /// λ of eq. 4 and 6: L2 on the kernels of the representation network, or of the classifier.
    public var l2 = 8e-5
    /// ν of eq. 5 and 6: L2 on the kernels of attention and mixing and on a.
    public var l2Location = 8e-5
    /// T.
    public var glimpses = 12
    /// S, sampled trajectories per image.
    public var samples = 1
    /// w_R of eq. 6; the joint stage's default is the published code's 1/(S·T), an average over
    /// samples and glimpses: with a plain sum the policy's noise drowns the cross entropy.
    public var reinforceWeight = 1.0
    /// The order of the location stage's targets.
    public var targetOrder = TargetOrder.maxLogit
    /// Batch norm of the frozen representation network in the location stage.
    public var frozenNorm = NormMode.inference

    /// The defaults of a stage.
    public init(_ stage: StageName) {
        if stage == .joint {
            glimpses = 6
            samples = 2
            reinforceWeight = 1 / 12
            learningRate = 0.02
        }
        if stage == .classifier { glimpses = 1 }
    }
}
