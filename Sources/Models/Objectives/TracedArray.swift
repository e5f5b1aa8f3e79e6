import Layers

/// A named array of a trace.
public struct TracedArray: Sendable {
    /// The path below `/trace`.
    public let path: String
    /// Row-major dimensions.
    public let shape: [Int]
    /// The numbers.
    public let values: Values

    /// Numbers of either kind.
    public enum Values: Sendable {
        /// Single precision.
        case floats([Float])
        /// Integers.
        case integers([Int32])
    }

    /// Names an array.
    public init(_ path: String, _ shape: [Int], _ values: Values) {
        (self.path, self.shape, self.values) = (path, shape, values)
    }

    /// Names the first `imageCount` images of an activation.
    public init<Element>(_ path: String, _ activation: Activation<Element>, imageCount: Int) {
        let shape = activation.shape
        self.init(
            path, [imageCount, shape.height, shape.width, shape.channels],
            .floats(activation.values(imageCount: imageCount)))
    }
}
