import Models

/// Floating-point operations of a forward pass over one image, a multiply-add counted as two.
///
/// Convolutions only: everything else, the cell included, is below one percent. A training step
/// computes three times as much: the values, and the gradients of inputs and of weights.
public struct SaccaderOperations: Equatable, Sendable {
    /// The representation network; 28.2·10⁹ for BagNet-77-lowD on 224×224 pixels
    /// (Method: Networks).
    public let representation: Double
    /// Attention network and mixing.
    public let location: Double
    /// Each part's, by its name in `freeze`.
    private let parts: [String: Double]

    /// Follows the convolutions of `configuration` on images of `imageSize`² pixels.
    public init(_ configuration: SaccaderSettings, imageSize: Int) {
        let sizes = configuration.representation
        var (side, channels) = (imageSize - 2, sizes.stemChannels)
        var products = side * side * 27 * channels
        var before = 0
        var parts: [String: Double] = [:]
        func end(_ part: String) {
            parts[part] = 2 * Double(products - before)
            before = products
        }
        end("representation/stem")
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
            end("representation/group\(group)")
        }
        let what = sizes.whatChannels
        products += side * side * what * channels
        end("representation/lowd")
        products += side * side * what * configuration.classes
        end("representation/logits")
        representation = 2 * Double(products)

        (products, before) = (0, 0)
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
        end("attention")
        products += side * side * (channels + what) * configuration.mixedFeatures
        end("mixing")
        location = 2 * Double(products)
        self.parts = parts
    }

    /// The operations of a training step of a stage, for one image.
    ///
    /// - Parameter freeze: The parts that the stage leaves untouched, of which no gradient is wanted.
    public func training(_ stage: Stage, freeze: [String] = []) -> Double {
        var (network, rest) = (3 * representation, 3 * location)
        for (part, operations) in parts where FreezableParts.isNamed(part, in: freeze) {
            if part.hasPrefix("representation/") {
                network -= 2 * operations
            } else {
                rest -= 2 * operations
            }
        }
        if stage == .representation { return network }
        // The representation network is frozen, and no gradient of its outputs is wanted.
        return (stage == .location ? representation : network) + rest
    }
}
