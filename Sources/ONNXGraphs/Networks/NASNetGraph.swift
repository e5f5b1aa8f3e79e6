import GlimpseModel
import Tensors

/// NASNet-A as a graph.
struct NASNetGraph {
    /// A square value and its side, on which the margins depend.
    private struct Square {
        let value: GraphValue
        let side: Int
    }

    private let sizes: NASNetDimensions
    private let wiring: NASNetWiring

    init(_ sizes: NASNetDimensions) { (self.sizes, wiring) = (sizes, NASNetWiring(sizes)) }

    /// The network's logits, `[N, c]`.
    ///
    /// - Parameters:
    ///   - images: On its own scale, `[N, 3, H, H]`.
    ///   - side: H.
    func add(_ images: GraphValue, side: Int, to graph: inout GraphBuilder) -> GraphValue {
        let stem = graph.convolution(images, "nasnet/stem/conv", stride: 2)
        var outputs = [
            Square(value: norm(stem, "nasnet/stem/norm", &graph), side: (side - 3) / 2 + 1)
        ]
        for cell in wiring.cells {
            let output = add(
                cell, current: outputs[cell.current], previous: outputs[cell.previous], &graph)
            outputs.append(output)
        }
        let last = graph.relu(outputs[wiring.cells.count].value)
        let logits = graph.convolution(graph.placeMean(last), "nasnet/logits")
        return graph.narrowed(logits, axes: [2, 3])
    }

    private func norm(
        _ value: GraphValue, _ path: String, _ graph: inout GraphBuilder
    ) -> GraphValue {
        graph.norm(value, path, epsilon: sizes.normEpsilon)
    }

    private func add(
        _ cell: NASNetWiring.Cell, current: Square, previous: Square,
        _ graph: inout GraphBuilder
    ) -> Square {
        let path = "nasnet/\(cell.name)"
        let adjusted = adjusted(previous, cell.adjusting, path, &graph)
        let fitted = Square(
            value: pointwise(current.value, "\(path)/current", &graph), side: current.side)
        var pairs: [Square] = []
        func source(_ source: CellPlan.Source) -> Square {
            switch source {
            case .current: fitted
            case .previous: adjusted
            case .pair(let pair): pairs[pair]
            }
        }
        for (pair, branches) in cell.plan.pairs.enumerated() {
            let values = zip(["left", "right"], branches).map { side, branch in
                self.branch(
                    source(branch.source), branch.operation, cell.plan.padding(branch),
                    "\(path)/pair\(pair)/\(side)", &graph)
            }
            pairs.append(
                Square(value: graph.sum(values[0].value, values[1].value), side: values[0].side))
        }
        let parts = cell.plan.outputs.map { source($0) }
        return Square(
            value: graph.concatenated(parts.map(\.value), axis: 1), side: parts[0].side)
    }

    /// ReLU, 1×1 convolution and norm.
    private func pointwise(
        _ value: GraphValue, _ path: String, _ graph: inout GraphBuilder
    ) -> GraphValue {
        let sums = graph.convolution(graph.relu(value), "\(path)/conv")
        return norm(sums, "\(path)/norm", &graph)
    }

    /// A cell's second input, brought to the first's size and channels.
    private func adjusted(
        _ input: Square, _ adjusting: NASNetWiring.Adjusting, _ path: String,
        _ graph: inout GraphBuilder
    ) -> Square {
        switch adjusting {
        case .none: return input
        case .pointwise:
            return Square(
                value: pointwise(input.value, "\(path)/previous", &graph), side: input.side)
        case .factorized:
            let value = graph.relu(input.value)
            // The second half reads the pixels (2i+1, 2j+1), zeros beyond the border.
            let moved = graph.slice(value, from: 1, to: input.side, axes: [2, 3])
            let halves = [
                graph.convolution(value, "\(path)/previous/conv1", stride: 2),
                graph.convolution(
                    moved, "\(path)/previous/conv2", stride: 2, margins: [0, 0, 1, 1]),
            ]
            let both = graph.concatenated(halves, axis: 1)
            return Square(
                value: norm(both, "\(path)/previous/norm", &graph), side: (input.side + 1) / 2)
        }
    }

    private func branch(
        _ input: Square, _ operation: CellPlan.Operation, _ padding: SamePadding,
        _ path: String, _ graph: inout GraphBuilder
    ) -> Square {
        let side = padding.outputSize(input.side)
        let (kernel, stride) = (padding.kernel, padding.stride)
        let margins = padding.margins(input.side)
        switch operation {
        case .separable:
            let first = separable(input.value, 1, path, stride, margins, &graph)
            let second = SamePadding(kernel: kernel).margins(side)
            return Square(value: separable(first, 2, path, 1, second, &graph), side: side)
        case .average:
            let value = graph.average(
                input.value, kernel: kernel, stride: stride, margins: margins,
                countsMargins: stride > 1 && sizes.poolPadding == .zeros)
            return Square(value: value, side: side)
        case .maximum:
            let value = graph.maximum(
                input.value, kernel: kernel, stride: stride, margins: margins)
            return Square(value: value, side: side)
        case .identity: return input
        }
    }

    /// One layer of a stack of separable convolutions.
    private func separable(
        _ value: GraphValue, _ number: Int, _ path: String, _ stride: Int, _ margins: [Int],
        _ graph: inout GraphBuilder
    ) -> GraphValue {
        let wide = graph.convolution(
            graph.relu(value), "\(path)/depthwise\(number)", stride: stride, margins: margins,
            isDepthwise: true)
        let sums = graph.convolution(wide, "\(path)/pointwise\(number)")
        return norm(sums, "\(path)/norm\(number)", &graph)
    }
}
