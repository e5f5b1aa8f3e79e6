import Tensors

/// Where a convolution's backward takes the gradient of its raw output from.
public struct GradientSource<Element: StorageElement>: Sendable {
    private let gradient: Tensor<Element>
    private let raw: Tensor<Element>
    private let norm: NormBuffers?

    /// The gradient is stored as it is (a convolution with bias and no norm).
    public init(stored gradient: Tensor<Element>) {
        (self.gradient, raw, norm) = (gradient, gradient, nil)
    }

    /// The gradient of the normalised value is stored; batch norm's backward is still to be
    /// applied: `p·gradient + q·raw + r` per channel.
    public init(_ gradient: Tensor<Element>, through norm: NormBuffers, of raw: Tensor<Element>) {
        (self.gradient, self.raw, self.norm) = (gradient, raw, norm)
    }

    /// The gradient of raw output rows `range`, `[rows, C]`, as a product takes it: memory itself
    /// or `scratch`.
    func operand(
        _ range: Range<Int>, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Element> {
        guard let norm else { return gradient.row(range.lowerBound) }
        let operand = scratch.narrowed(to: Element.self)
        GradientKernels.throughNorm(
            gradient.row(range.lowerBound), raw: raw.row(range.lowerBound), norm.coefficients,
            rows: range.count, channels: gradient.shape.channels, into: operand)
        return operand
    }
}
