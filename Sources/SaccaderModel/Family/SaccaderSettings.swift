import Layers
import Models

/// Where a projected block has its second norm (Method: Networks).
public enum ShortcutNorm: String, Codable, CaseIterable, Sendable {
    /// On the projected residual, as in the usual ResNet.
    case residual
    /// On the main path after its own norm, as in the published code; the residual has none.
    case reference
}

/// The representation network's dimensions.
public struct RepresentationConfiguration: Codable, Equatable, Sendable {
    /// Channels of the first convolution.
    public var stemChannels = 64
    /// Inner channels of each group's bottlenecks.
    public var planes = [64, 128, 256, 512]
    /// Bottlenecks of each group.
    public var blocks = [3, 4, 6, 3]
    /// The stride of each group's first bottleneck.
    public var strides = [2, 2, 2, 1]
    /// How many of each group's first bottlenecks have a 3×3 convolution.
    public var kernel3 = [2, 2, 2, 2]
    /// Outer over inner channels of a bottleneck.
    public var expansion = 4
    /// Features over "what" features.
    public var lowDDivisor = 4
    /// Where a projected block has its second norm.
    public var shortcutNorm = ShortcutNorm.residual

    /// BagNet-77-lowD.
    public init() {}

    /// Channels of the last group's output.
    public var featureChannels: Int { (planes.last ?? 0) * expansion }
    /// Channels of the "what" features.
    public var whatChannels: Int { featureChannels / lowDDivisor }
}

/// The attention network's dimensions.
public struct AttentionConfiguration: Codable, Equatable, Sendable {
    /// Groups of layers; each halves the channels.
    public var groups = 2
    /// Layers of a group: one 1×1, then 3×3 with dilation.
    public var layersPerGroup = 2
    /// The distance of the 3×3 kernels' taps, in locations.
    public var dilation = 2
    /// Off: the "where" features are left out, an ablation of the paper.
    public var enabled = true

    /// The paper's attention network.
    public init() {}
}

/// The cell's kind.
public struct CellConfiguration: Codable, Equatable, Sendable {
    /// Soft attention, an ablation of the paper: each glimpse takes the logits of all locations,
    /// weighted by the policy, in place of those of one location.
    public var soft = false

    /// The paper's hard attention.
    public init() {}
}

/// The whole model's dimensions.
public struct SaccaderSettings: ModelSettings {
    public var classes = SharedDefaults.classes
    /// The representation network.
    public var representation = RepresentationConfiguration()
    /// The attention network.
    public var attention = AttentionConfiguration()
    /// The cell.
    public var cell = CellConfiguration()
    /// d, the channels of F, which the cell reads.
    public var mixedFeatures = 512
    public var batchNorm = BatchNormConfiguration()

    /// The paper's model on ImageNet.
    public init() {}

    public static let choices = [
        "representation.shortcutNorm": ShortcutNorm.allCases.map(\.rawValue)
    ]

    /// The "where" features' channels.
    public var whereChannels: Int { representation.featureChannels >> attention.groups }

    /// The first setting that makes no network: the key below `model` and what is wrong with it.
    public var problem: SettingProblem? {
        if let problem = commonProblem { return problem }
        let lists: KeyValuePairs = [
            "blocks": representation.blocks, "strides": representation.strides,
            "kernel3": representation.kernel3,
        ]
        if let problem = SettingProblem.ofGroups(
            lists, planes: representation.planes, below: "representation.")
        {
            return problem
        }
        let counts = [
            ("mixedFeatures", [mixedFeatures], CountRange.channels),
            ("representation.stemChannels", [representation.stemChannels], CountRange.channels),
            ("representation.planes", representation.planes, CountRange.channels),
            ("representation.blocks", representation.blocks, CountRange.few),
            ("representation.strides", representation.strides, CountRange.imageSize),
            ("representation.expansion", [representation.expansion], CountRange.few),
            ("representation.lowDDivisor", [representation.lowDDivisor], CountRange.channels),
            ("attention.groups", [attention.groups], 1...30),
            ("attention.layersPerGroup", [attention.layersPerGroup], CountRange.few),
            ("attention.dilation", [attention.dilation], CountRange.imageSize),
        ]
        if let problem = SettingProblem.first(counts) { return problem }
        for (taps, blocks) in zip(representation.kernel3, representation.blocks)
        where taps < 0 || taps > blocks {
            return SettingProblem(
                "representation.kernel3", "has \(taps) of \(blocks) blocks: give 0 to blocks")
        }
        if representation.whatChannels < 1 || (attention.enabled && whereChannels < 1) {
            return SettingProblem(
                "representation.planes",
                "leaves no channel for the \"what\" or \"where\" features: give more planes"
            )
        }
        return nil
    }
}
