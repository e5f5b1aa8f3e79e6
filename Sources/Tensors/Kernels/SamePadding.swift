/// Windows whose outputs are as many as the input has pixels, divided by the stride and rounded up;
/// where the margin is odd, the pixel more stands at the end (TensorFlow's SAME).
public struct SamePadding: Equatable, Sendable {
    /// The window's side, in pixels.
    public let kernel: Int
    /// The distance of neighbouring windows, in pixels.
    public let stride: Int

    /// Describes windows.
    public init(kernel: Int, stride: Int = 1) { (self.kernel, self.stride) = (kernel, stride) }

    /// The output's side for an input's side.
    public func outputSize(_ inputSize: Int) -> Int { (inputSize + stride - 1) / stride }

    /// Pixels of margin before the input: window i begins at stride·i − before.
    public func before(_ inputSize: Int) -> Int {
        max((outputSize(inputSize) - 1) * stride + kernel - inputSize, 0) / 2
    }

    /// How many pixels of the input the window `index` holds along a side.
    public func pixelCount(_ index: Int, inputSize: Int) -> Int {
        let first = stride * index - before(inputSize)
        return min(inputSize, first + kernel) - max(0, first)
    }
}
