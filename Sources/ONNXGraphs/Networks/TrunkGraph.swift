/// ResNet v2 without its logits as a graph: the classifier's and the DRAM's.
struct TrunkGraph {
    /// Where its arrays are.
    let path: String
    /// Bottlenecks of each group.
    let blocks: [Int]
    /// The stride of one bottleneck of each group.
    let strides: [Int]
    /// Whether the stride stands in a group's last bottleneck, and an unprojected shortcut takes
    /// every so many pixels, as TensorFlow's slim has it.
    let isSlim: Bool
    /// The ε of the norms.
    let epsilon: Double

    /// Adds it: the mean features, `[N, C, 1, 1]`.
    func add(_ images: GraphValue, to graph: inout GraphBuilder) -> GraphValue {
        var value = graph.convolution(
            images, "\(path)/stem/conv", stride: 2, margins: [3, 3, 3, 3])
        value = graph.maximum(value, kernel: 3, stride: 2, margins: [1, 1, 1, 1])
        for (group, count) in blocks.enumerated() {
            let strided = isSlim ? count - 1 : 0
            for block in 0..<count {
                value = bottleneck(
                    value, "\(path)/group\(group)/block\(block)",
                    stride: block == strided ? strides[group] : 1, &graph)
            }
        }
        return graph.placeMean(activated(value, "\(path)/norm", &graph))
    }

    private func activated(
        _ value: GraphValue, _ norm: String, _ graph: inout GraphBuilder
    ) -> GraphValue {
        graph.relu(graph.norm(value, norm, epsilon: epsilon))
    }

    private func bottleneck(
        _ input: GraphValue, _ path: String, stride: Int, _ graph: inout GraphBuilder
    ) -> GraphValue {
        let first = activated(input, "\(path)/norm1", &graph)
        var main = graph.convolution(first, "\(path)/conv1")
        main = activated(main, "\(path)/norm2", &graph)
        main = graph.convolution(
            main, "\(path)/conv2", stride: stride, margins: [1, 1, 1, 1])
        main = activated(main, "\(path)/norm3", &graph)
        main = graph.convolution(main, "\(path)/conv3")
        if graph.has("\(path)/shortcut/conv/kernel") {
            // Of the DRAM's the pixels are chosen by the stride of this convolution.
            let shortcut = graph.convolution(first, "\(path)/shortcut/conv", stride: stride)
            return graph.sum(main, shortcut)
        }
        guard stride > 1 else { return graph.sum(main, input) }
        let kept = graph.maximum(input, kernel: 1, stride: stride, margins: [0, 0, 0, 0])
        return graph.sum(main, kept)
    }
}
