/// Nominal operations of a NASNet-A.
public enum NASNetOperations {
    /// Multiplications of a forward pass over one image: 23.78·10⁹ for NASNet-A Large on 331×331
    /// pixels.
    public static func products(
        _ sizes: NASNetDimensions, classes: Int, imageSize: Int
    ) -> Int {
        parts(sizes, classes: classes, imageSize: imageSize).reduce(0) { $0 + $1.products }
    }

    /// The same of each part, by its path.
    static func parts(
        _ sizes: NASNetDimensions, classes: Int, imageSize: Int
    ) -> [(path: String, products: Int)] {
        let stem = (imageSize - 1) / 2
        var parts = [("nasnet/stem", stem * stem * 27 * sizes.stemChannels)]
        /// Side and channels of each output.
        var outputs = [(side: stem, channels: sizes.stemChannels)]
        for cell in NASNetWiring(sizes).cells {
            let (current, previous) = (outputs[cell.current], outputs[cell.previous])
            let filters = cell.filters
            let side = (current.side + cell.plan.stride - 1) / cell.plan.stride
            var products = current.side * current.side * current.channels * filters
            if cell.adjusting != .none {
                products += current.side * current.side * previous.channels * filters
            }
            for branch in cell.plan.pairs.joined() {
                guard case .separable(let kernel) = branch.operation else { continue }
                let inputs =
                    branch.source == .previous && cell.adjusting == .none
                    ? previous.channels : filters
                products +=
                    side * side
                    * (kernel * kernel * (inputs + filters) + (inputs + filters) * filters)
            }
            outputs.append((side, cell.plan.outputs.count * filters))
            parts.append(("nasnet/\(cell.name)", products))
        }
        return parts + [("nasnet/logits", sizes.featureChannels * classes)]
    }
}
