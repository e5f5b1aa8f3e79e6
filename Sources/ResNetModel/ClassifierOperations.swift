/// Nominal operations of the classifier, a multiply-add counted as two.
public enum ClassifierOperations {
    /// Multiplications of a forward pass over one image, whose convolutions all keep the margin:
    /// 4.1·10⁹ for ResNet-v2-50 on 224×224 pixels.
    public static func products(
        _ configuration: ClassifierSettings, imageSize: Int
    ) -> Int {
        let sizes = configuration.classifier
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
}
