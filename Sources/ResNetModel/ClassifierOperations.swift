/// Nominal operations of the classifier, a multiply-add counted as two.
public enum ClassifierOperations {
    /// Multiplications of a forward pass over one image, whose convolutions all keep the margin:
    /// 4.1·10⁹ for ResNet-v2-50 on 224×224 pixels.
    public static func products(
        _ configuration: ClassifierSettings, imageSize: Int
    ) -> Int {
        parts(configuration, imageSize: imageSize).reduce(0) { $0 + $1.products }
    }

    /// The same of each part, by its path.
    public static func parts(
        _ configuration: ClassifierSettings, imageSize: Int
    ) -> [(path: String, products: Int)] {
        let sizes = configuration.classifier
        var side = (imageSize + 1) / 2
        var channels = sizes.stemChannels
        var parts = [("classifier/stem", side * side * 3 * 7 * 7 * channels)]
        side = (side + 1) / 2
        for (group, blockCount) in sizes.blocks.enumerated() {
            let (inner, outer) = (sizes.planes[group], sizes.planes[group] * sizes.expansion)
            for block in 0..<blockCount {
                let stride = block == 0 ? sizes.strides[group] : 1
                var products = side * side * channels * inner
                side = (side - 1) / stride + 1
                products += side * side * inner * (9 * inner + outer)
                if stride != 1 || channels != outer { products += side * side * channels * outer }
                channels = outer
                parts.append(("classifier/group\(group)/block\(block)", products))
            }
        }
        return parts + [("classifier/logits", channels * configuration.classes)]
    }
}
