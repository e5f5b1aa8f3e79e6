import Models
import ResNetModel

/// ResNet v2 on whole images as a graph.
struct ClassifierGraph {
    private let trunk: TrunkGraph

    init(_ settings: ClassifierSettings) {
        self.init(settings.classifier, epsilon: settings.batchNorm.epsilon)
    }

    /// - Parameter epsilon: Of the norms.
    init(_ sizes: ClassifierDimensions, epsilon: Double) {
        trunk = TrunkGraph(
            path: "classifier", blocks: sizes.blocks, strides: sizes.strides, isSlim: false,
            epsilon: epsilon)
    }

    /// The network's logits, `[N, c]`.
    ///
    /// - Parameter images: On its own scale, `[N, 3, H, W]`.
    func add(_ images: GraphValue, to graph: inout GraphBuilder) -> GraphValue {
        let features = trunk.add(images, to: &graph)
        let logits = graph.convolution(features, "classifier/logits")
        return graph.narrowed(logits, axes: [2, 3])
    }
}
