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

    /// The gradient of raw output rows `range`, `[rows, C]`: memory itself or `scratch`.
    func rows(
        _ range: Range<Int>, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        let channels = gradient.shape.channels
        if let norm {
            GradientKernels.throughNorm(
                gradient.row(range.lowerBound), raw: raw.row(range.lowerBound),
                norm.coefficients, rows: range.count, channels: channels, into: scratch)
            return scratch
        }
        if let values = gradient.floatRow(range.lowerBound) { return values }
        RowKernels.apply(
            gradient.row(range.lowerBound), affine: nil, rectify: false, rows: range.count,
            channels: channels, into: scratch, resultStride: channels)
        return scratch
    }
}
