import Models
import Tensors

/// Layers of trained networks; values are `[N, C, H, W]`.
extension GraphBuilder {
    /// A convolution with the kernel, and the bias where there is one, below a path.
    ///
    /// - Parameter margins: Pixels of 0 above, left, below and right.
    mutating func convolution(
        _ value: GraphValue, _ path: String, stride: Int = 1, margins: [Int] = [0, 0, 0, 0],
        dilation: Int = 1, isDepthwise: Bool = false
    ) -> GraphValue {
        let shape = shape("\(path)/kernel")
        var inputs = [value, weight("\(path)/kernel")]
        if has("\(path)/bias") { inputs.append(weight("\(path)/bias")) }
        return add(
            "Conv", inputs,
            [
                "kernel_shape": .integers(Array(shape[2...])),
                "strides": .integers([stride, stride]), "pads": .integers(margins),
                "dilations": .integers([dilation, dilation]),
                "group": .integer(isDepthwise ? shape[0] : 1),
            ], name: path)
    }

    /// The batch norm below a path, by its running statistics.
    mutating func norm(_ value: GraphValue, _ path: String, epsilon: Double) -> GraphValue {
        let arrays = ["gamma", "beta", "mean", "variance"].map { weight("\(path)/\($0)") }
        return add(
            "BatchNormalization", [value] + arrays, ["epsilon": .number(Float(epsilon))],
            name: path)
    }

    /// The largest value of each window.
    mutating func maximum(
        _ value: GraphValue, kernel: Int, stride: Int, margins: [Int]
    ) -> GraphValue {
        add(
            "MaxPool", [value],
            [
                "kernel_shape": .integers([kernel, kernel]),
                "strides": .integers([stride, stride]), "pads": .integers(margins),
            ])
    }

    /// The mean of each window.
    ///
    /// - Parameter countsMargins: Whether it divides by the pixels beyond the border too.
    mutating func average(
        _ value: GraphValue, kernel: Int, stride: Int, margins: [Int], countsMargins: Bool
    ) -> GraphValue {
        add(
            "AveragePool", [value],
            [
                "kernel_shape": .integers([kernel, kernel]),
                "strides": .integers([stride, stride]), "pads": .integers(margins),
                "count_include_pad": .integer(countsMargins ? 1 : 0),
            ])
    }

    /// Red, green and blue, 0…255, on the scale that a network expects.
    mutating func standardized(_ pixels: GraphValue, _ scale: PixelScale) -> GraphValue {
        let used = scale.resolved
        let channels = used.mean.indices
        let factor = channels.map { 1 / (255 * Float(used.deviation[$0])) }
        let shift = channels.map { Float(-used.mean[$0] / used.deviation[$0]) }
        return sum(
            product(pixels, constant(.floats(factor), shape: [3, 1, 1])),
            constant(.floats(shift), shape: [3, 1, 1]))
    }
}

extension SamePadding {
    /// Pixels above, left, below and right of a square input.
    func margins(_ side: Int) -> [Int] {
        let first = before(side)
        let last = max((outputSize(side) - 1) * stride + kernel - side, 0) - first
        return [first, first, last, last]
    }
}
