import Models

/// The dimensions of the classifier that judges occluded images.
public struct ClassifierConfiguration: Codable, Equatable, Sendable {
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

    /// ResNet-v2-50.
    public init() {}

    /// Channels of the last group's output.
    public var featureChannels: Int { (planes.last ?? 0) * expansion }

    /// The first setting that makes no network: the key below `model.classifier` and what is
    /// wrong with it.
    var problem: (key: String, message: String)? {
        for (name, list) in [("blocks", blocks), ("strides", strides)]
        where list.count != planes.count {
            return (
                name,
                "has \(list.count) numbers, but planes has \(planes.count): give one per group"
            )
        }
        guard (1...16).contains(planes.count) else {
            return ("planes", "has \(planes.count) numbers: give 1 to 16")
        }
        let counts = [
            ("stemChannels", [stemChannels], CountRange.channels),
            ("planes", planes, CountRange.channels), ("blocks", blocks, CountRange.few),
            ("strides", strides, CountRange.imageSize), ("expansion", [expansion], CountRange.few),
        ]
        for (key, values, range) in counts {
            for value in values {
                if let problem = CountRange.problem(value, in: range) { return (key, problem) }
            }
        }
        return nil
    }
}
