/// A model's numbers as a graph holds them.
public struct GraphWeights: Sendable {
    /// One array.
    public struct Array: Sendable {
        /// What the graph calls it.
        public let name: String
        /// The dimensions, row-major; kernels `[out, in, height, width]`.
        public let shape: [Int]
        /// The numbers.
        public let values: [Float]

        /// Collects them.
        public init(name: String, shape: [Int], values: [Float]) {
            (self.name, self.shape, self.values) = (name, shape, values)
        }
    }

    /// The arrays by their path in a checkpoint below `/model`.
    let arrays: [String: Array]

    /// Collects a model's arrays by their paths in a checkpoint.
    public init(_ arrays: [String: Array]) { self.arrays = arrays }

    /// Whether the model has such an array.
    func contains(_ path: String) -> Bool { arrays[path] != nil }

    /// The dimensions of an array that the model has.
    func shape(_ path: String) -> [Int] {
        guard let array = arrays[path] else {
            preconditionFailure("the model has no \(path)")
        }
        return array.shape
    }
}
