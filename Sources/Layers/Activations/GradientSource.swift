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
        if norm == nil { return gradient.row(range.lowerBound) }
        let operand = scratch.narrowed(to: Element.self)
        write(range, into: operand)
        return operand
    }

    /// Has the next product fetch what the rows after `rows` are made of.
    func fetchAhead(after rows: Range<Int>) {
        gradient.fetchAhead(after: rows)
        if norm != nil { raw.fetchAhead(after: rows) }
    }

    private func write(_ range: Range<Int>, into operand: UnsafeMutablePointer<Element>) {
        let (values, channels) = (gradient.row(range.lowerBound), gradient.shape.channels)
        guard let norm else { return operand.update(from: values, count: range.count * channels) }
        GradientKernels.throughNorm(
            values, raw: raw.row(range.lowerBound), norm.coefficients, rows: range.count,
            channels: channels, into: operand)
    }

    /// The rows of several sources of equal width, one after the other.
    static func operand(
        _ parts: [(source: GradientSource, rows: Range<Int>)],
        scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Element> {
        if parts.count == 1 { return parts[0].source.operand(parts[0].rows, scratch: scratch) }
        let operand = scratch.narrowed(to: Element.self)
        var target = operand
        for (source, rows) in parts {
            source.write(rows, into: target)
            target += rows.count * source.gradient.shape.channels
        }
        return operand
    }
}
