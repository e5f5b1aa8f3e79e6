import SaccaderModel

/// The Saccader's representation network as a graph.
struct RepresentationGraph {
    /// `[N, C, h, w]`.
    let features: GraphValue
    /// The "what" features.
    let what: GraphValue
    /// The logits of each location, `[N, c, h, w]`.
    let logits: GraphValue

    /// Adds it to a graph.
    ///
    /// - Parameter images: Standardised, `[N, 3, H, H]`.
    init(_ settings: SaccaderSettings, _ images: GraphValue, to graph: inout GraphBuilder) {
        let (sizes, path) = (settings.representation, "representation")
        let epsilon = settings.batchNorm.epsilon
        func normed(
            _ value: GraphValue, _ path: String, _ graph: inout GraphBuilder
        ) -> GraphValue {
            let sums = graph.convolution(value, "\(path)/conv")
            return graph.relu(graph.norm(sums, "\(path)/norm", epsilon: epsilon))
        }
        var value = normed(images, "\(path)/stem", &graph)
        for (group, count) in sizes.blocks.enumerated() {
            for block in 0..<count {
                value = Self.bottleneck(
                    value, "\(path)/group\(group)/block\(block)",
                    stride: block == 0 ? sizes.strides[group] : 1, settings, to: &graph)
            }
        }
        features = value
        what = normed(value, "\(path)/lowd", &graph)
        logits = graph.convolution(what, "\(path)/logits")
    }

    /// A block: every convolution is valid, so that the shortcut is cropped.
    private static func bottleneck(
        _ input: GraphValue, _ path: String, stride: Int, _ settings: SaccaderSettings,
        to graph: inout GraphBuilder
    ) -> GraphValue {
        let epsilon = settings.batchNorm.epsilon
        var main = input
        for (number, stride) in [(1, 1), (2, stride), (3, 1)] {
            main = graph.convolution(main, "\(path)/conv\(number)", stride: stride)
            main = graph.norm(main, "\(path)/norm\(number)", epsilon: epsilon)
            if number < 3 { main = graph.relu(main) }
        }
        let crop = (graph.shape("\(path)/conv2/kernel")[2] - 1) / 2
        var shortcut = input
        if crop > 0 { shortcut = graph.slice(input, from: crop, to: -crop, axes: [2, 3]) }
        if graph.has("\(path)/shortcut/conv/kernel") {
            shortcut = graph.convolution(shortcut, "\(path)/shortcut/conv", stride: stride)
            let norm = "\(path)/shortcut/norm"
            switch settings.representation.shortcutNorm {
            case .residual: shortcut = graph.norm(shortcut, norm, epsilon: epsilon)
            case .reference: main = graph.norm(main, norm, epsilon: epsilon)
            }
        }
        return graph.relu(graph.sum(main, shortcut))
    }
}
