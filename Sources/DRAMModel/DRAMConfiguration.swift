import Layers
import Models

/// How many glimpses' logits make a prediction.
public enum GlimpsePrediction: String, Codable, CaseIterable, Sendable {
    /// Those of the last glimpse alone (Ba, Mnih, Kavukcuoglu, arXiv 1412.7755).
    case last
    /// The mean over all glimpses.
    case mean
}

/// The dimensions of the network and of its glimpses, as published with the Saccader.
public struct DRAMDimensions: Codable, Equatable, Sendable {
    /// g, the side of the finest window and of what the network sees, in pixels.
    public var glimpseSize = 77
    /// R, windows of a glimpse: from g pixels to the whole image.
    public var resolutions = 3
    /// K, how many of them, the finest first, the glimpses see; of the others they see the mean
    /// colour. The context sees all.
    public var classificationResolutions = 1
    /// Channels of the glimpse network's first convolution.
    public var stemChannels = 64
    /// Inner channels of each group's bottlenecks.
    public var planes = [64, 128, 256, 512]
    /// Bottlenecks of each group.
    public var blocks = [3, 4, 6, 3]
    /// The stride of each group's last bottleneck.
    public var strides = [2, 2, 2, 1]
    /// Outer over inner channels of a bottleneck.
    public var expansion = 4
    /// u, units of the classification cell.
    public var classificationUnits = 1024
    /// v, units of the location cell.
    public var locationUnits = 1024
    /// The part of the old running statistic that stays at each of a step's T + 1 updates.
    public var normMomentum = 0.997
    /// Which logits make the prediction.
    public var prediction = GlimpsePrediction.last

    /// The published numbers.
    public init() {}

}

/// The settings of the DRAM baseline, below `model`.
public struct DRAMConfiguration: ModelSettings {
    public var classes = SharedDefaults.classes
    /// The dimensions.
    public var dram = DRAMDimensions()
    /// All batch norms; their momentum is `dram.normMomentum`.
    public var batchNorm = BatchNormConfiguration()

    /// The published model on ImageNet.
    public init() {}

    public static let choices = ["dram.prediction": GlimpsePrediction.allCases.map(\.rawValue)]

    /// The settings of the layers' norms.
    var norms: BatchNormConfiguration {
        var norms = batchNorm
        norms.momentum = dram.normMomentum
        return norms
    }

    /// The first setting that makes no network for images of `imageSize`² pixels: the key below
    /// `model` and what is wrong with it.
    public func problem(imageSize: Int) -> SettingProblem? {
        if let problem = commonProblem ?? countProblem { return problem }
        let glimpseSize = dram.glimpseSize
        if glimpseSize > imageSize {
            return SettingProblem(
                "dram.glimpseSize",
                "is \(glimpseSize), but images have \(imageSize) pixels: give at most that"
            )
        }
        // The max pooling's input would be even, which the published code pads on one side only.
        if ![1, 2].contains(glimpseSize % 4) {
            return SettingProblem(
                "dram.glimpseSize",
                "is \(glimpseSize): give a number that leaves 1 or 2 when divided by 4"
            )
        }
        if !(1...dram.resolutions).contains(dram.classificationResolutions) {
            return SettingProblem(
                "dram.classificationResolutions",
                "is \(dram.classificationResolutions): give 1 to \(dram.resolutions), as "
                    + "many as dram.resolutions"
            )
        }
        if !(0..<1).contains(dram.normMomentum) {
            return SettingProblem(
                "dram.normMomentum", "is \(dram.normMomentum): give at least 0 and less than 1"
            )
        }
        return nil
    }

    private var countProblem: SettingProblem? {
        let lists: KeyValuePairs = ["blocks": dram.blocks, "strides": dram.strides]
        if let problem = SettingProblem.ofGroups(lists, planes: dram.planes, below: "dram.") {
            return problem
        }
        return SettingProblem.first([
            ("dram.glimpseSize", [dram.glimpseSize], CountRange.imageSize),
            ("dram.resolutions", [dram.resolutions], CountRange.few),
            ("dram.stemChannels", [dram.stemChannels], CountRange.channels),
            ("dram.planes", dram.planes, CountRange.channels),
            ("dram.blocks", dram.blocks, CountRange.few),
            ("dram.strides", dram.strides, CountRange.imageSize),
            ("dram.expansion", [dram.expansion], CountRange.few),
            ("dram.classificationUnits", [dram.classificationUnits], CountRange.channels),
            ("dram.locationUnits", [dram.locationUnits], CountRange.channels),
        ])
    }
}
