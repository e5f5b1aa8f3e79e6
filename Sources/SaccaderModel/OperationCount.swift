/// Floating-point operations of a forward pass over one image, a multiply-add counted as two.
///
/// Convolutions only: everything else, the cell included, is below one percent. A training step
/// computes three times as much: the values, and the gradients of inputs and of weights.
public struct OperationCount: Equatable, Sendable {
    /// The representation network; 28.2·10⁹ for BagNet-77-lowD on 224×224 pixels (method §1).
    public let representation: Double
    /// Attention network and mixing.
    public let location: Double
    /// The classifier that judges occluded images; 8.2·10⁹ for ResNet-v2-50 on 224×224 pixels.
    public let classifier: Double

    /// Follows the convolutions of `configuration` on images of `imageSize`² pixels.
    public init(_ configuration: ModelConfiguration, imageSize: Int) {
        let sizes = configuration.representation
        var (side, channels) = (imageSize - 2, sizes.stemChannels)
        var products = side * side * 27 * channels
        for (group, blockCount) in sizes.blocks.enumerated() {
            let (inner, outer) = (sizes.planes[group], sizes.planes[group] * sizes.expansion)
            for block in 0..<blockCount {
                let kernel = block < sizes.kernel3[group] ? 3 : 1
                let stride = block == 0 ? sizes.strides[group] : 1
                products += side * side * channels * inner
                side = (side - kernel) / stride + 1
                products += side * side * inner * (kernel * kernel * inner + outer)
                if stride != 1 || channels != outer { products += side * side * channels * outer }
                channels = outer
            }
        }
        let what = sizes.whatChannels
        products += side * side * what * (channels + configuration.classes)
        representation = 2 * Double(products)

        products = 0
        if configuration.attention.enabled {
            for _ in 0..<configuration.attention.groups {
                let width = channels / 2
                products += side * side * channels * width
                products +=
                    (configuration.attention.layersPerGroup - 1) * side * side * 9 * width * width
                channels = width
            }
        } else {
            channels = 0
        }
        products += side * side * (channels + what) * configuration.mixedFeatures
        location = 2 * Double(products)
        classifier =
            2 * Double(Self.products(configuration.classifier, configuration, imageSize: imageSize))
    }

    /// Multiplications of the classifier, whose convolutions all keep the margin.
    private static func products(
        _ sizes: ClassifierConfiguration, _ configuration: ModelConfiguration, imageSize: Int
    ) -> Int {
        var side = (imageSize + 1) / 2
        var channels = sizes.stemChannels
        var products = side * side * 3 * 7 * 7 * channels
        side = (side + 1) / 2
        for (group, blockCount) in sizes.blocks.enumerated() {
            let (inner, outer) = (sizes.planes[group], sizes.planes[group] * sizes.expansion)
            for block in 0..<blockCount {
                let stride = block == 0 ? sizes.strides[group] : 1
                products += side * side * channels * inner
                side = (side - 1) / stride + 1
                products += side * side * inner * (9 * inner + outer)
                if stride != 1 || channels != outer { products += side * side * channels * outer }
                channels = outer
            }
        }
        return products + channels * configuration.classes
    }

    /// Of a training step of a stage, for one image.
    public func training(_ stage: StageName) -> Double {
        switch stage {
        case .representation: 3 * representation
        // The representation network is frozen, and no gradient of its outputs is wanted.
        case .location: representation + 3 * location
        case .joint: 3 * (representation + location)
        case .classifier: 3 * classifier
        }
    }
}
