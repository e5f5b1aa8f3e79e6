import Layers
import Models
import Tensors

/// The dimensions of the classifier that judges occluded images.
public struct ClassifierDimensions: Codable, Equatable, Sendable {
    /// Channels of the first convolution.
    public var stemChannels = 64
    /// Inner channels of each group's bottlenecks.
    public var planes = [64, 128, 256, 512]
    /// Bottlenecks of each group.
    public var blocks = [3, 4, 6, 3]
    /// The stride of each group's first bottleneck.
    public var strides = [1, 2, 2, 2]
    /// Outer over inner channels of a bottleneck.
    public var expansion = 4
    /// The scale of pixels that the network expects.
    public var pixels = PixelScale()

    /// ResNet-v2-50.
    public init() {}

    /// The first setting that makes no network: the key below `model.classifier` and what is
    /// wrong with it.
    public var problem: SettingProblem? {
        if let problem = pixels.problem { return problem.below("pixels") }
        let lists: KeyValuePairs = ["blocks": blocks, "strides": strides]
        if let problem = SettingProblem.ofGroups(lists, planes: planes) { return problem }
        return SettingProblem.first([
            ("stemChannels", [stemChannels], CountRange.channels),
            ("planes", planes, CountRange.channels), ("blocks", blocks, CountRange.few),
            ("strides", strides, CountRange.imageSize), ("expansion", [expansion], CountRange.few),
        ])
    }
}

/// What the classifier reads below `model`.
public struct ClassifierSettings: ModelSettings {
    public var classes = SharedDefaults.classes
    public var batchNorm = BatchNormConfiguration()
    /// The network.
    public var classifier = ClassifierDimensions()

    /// ResNet-v2-50 on ImageNet.
    public init() {}

    /// The parts of the network that a stage can leave untouched.
    public var freezable: FreezableParts {
        let groups = classifier.blocks.indices.map { "classifier/group\($0)" }
        return FreezableParts(
            PreActivationTrunk<Float>.parts("classifier", blocks: classifier.blocks)
                + ["classifier/logits"],
            choices: (["classifier/stem"] + groups).joined(separator: ", ")
                + " (or single blocks: classifier/group0/block0), classifier/norm, "
                + "classifier/logits")
    }

    /// The first setting that makes no network.
    var problem: SettingProblem? {
        commonProblem ?? classifier.problem?.below("classifier")
    }
}

/// The settings of the stage `classifier`.
public struct ClassifierStageSettings: StageSettings {
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
    /// λ: L2 on all kernels.
    public var l2 = 8e-5
    /// Parts that the stage leaves untouched: the network's first ones.
    public var freeze: [String] = []

    /// The defaults.
    public init() {}

    public func l2(of group: ParameterGroup) -> Double { l2 }

    /// The first setting that cannot be used.
    var problem: SettingProblem? {
        commonProblem ?? SettingProblem.firstNegative([("l2", l2)])
    }
}
