import Models

/// How an array of a checkpoint is named and laid out for PyTorch.
///
/// The name is the path with points for slashes; the last word is PyTorch's. Kernels are OIHW, also
/// those of 1×1.
enum ExportedArray {
    private static let words = [
        "kernel": "weight", "gamma": "weight", "beta": "bias", "mean": "running_mean",
        "variance": "running_var",
    ]

    /// The name of the array at a path below `/model`.
    static func name(_ path: String) -> String {
        var words = path.split(separator: "/").map(String.init)
        if let last = words.popLast() { words.append(Self.words[last] ?? last) }
        return words.joined(separator: ".")
    }

    /// The order of its dimensions.
    ///
    /// - Parameter shape: Here.
    static func order(_ path: String, shape: [Int]) -> PublicWeights.Order {
        let words = path.split(separator: "/")
        guard shape.count == 4, words.count >= 2 else { return .vector }
        return words[words.count - 2].hasPrefix("depthwise") ? .depthwise : .kernel
    }

    /// The shape for PyTorch.
    static func shape(_ path: String, _ shape: [Int]) -> [Int] {
        order(path, shape: shape).publicShape(shape, found: shape.count)
    }

    /// Numbers in PyTorch's order.
    static func exported(_ path: String, shape: [Int], _ values: [Float]) -> [Float] {
        let order = order(path, shape: shape)
        if case .vector = order { return values }
        var result = [Float](repeating: 0, count: values.count)
        let columns = columns(order, shape)
        order.forEach(shape: shape) { place, row, column in
            result[place] = values[row * columns + column]
        }
        return result
    }

    /// The same back.
    static func imported(_ path: String, shape: [Int], _ values: [Float]) -> [Float] {
        let order = order(path, shape: shape)
        if case .vector = order { return values }
        var result = [Float](repeating: 0, count: values.count)
        let columns = columns(order, shape)
        order.forEach(shape: shape) { place, row, column in
            result[row * columns + column] = values[place]
        }
        return result
    }

    private static func columns(_ order: PublicWeights.Order, _ shape: [Int]) -> Int {
        if case .depthwise = order { return 1 }
        return shape[shape.count - 1]
    }
}
