import Tensors

/// A value with what is deferred: raw numbers, and the norm and ReLU that readers still apply.
///
/// A convolution writes its raw output once. Batch norm and ReLU are no passes over memory:
/// every reader applies them chunk by chunk, in cache.
public struct Activation<Element: StorageElement>: Sendable {
    /// Per-channel factor and offset that batch norm came to, where there is one, and ReLU.
    public struct Deferred: Sendable {
        let norm: NormBuffers?
        let rectified: Bool

        var affine: RowKernels.Affine? {
            norm.map { RowKernels.Affine(scale: $0.scale.pointer, shift: $0.shift.pointer) }
        }
    }

    /// The numbers in memory, `[N, H, W, C]`.
    public let raw: Tensor<Element>
    /// What readers still do to them; nil where they are final.
    public let deferred: Deferred?

    /// A final value: an image batch, or a block's rectified output.
    public init(final raw: Tensor<Element>) {
        self.raw = raw
        deferred = nil
    }

    /// A raw convolution output followed by batch norm and, usually, ReLU.
    public init(raw: Tensor<Element>, norm: NormBuffers, rectified: Bool = true) {
        self.raw = raw
        deferred = Deferred(norm: norm, rectified: rectified)
    }

    /// A final value that is read through a ReLU.
    public init(rectifying raw: Tensor<Element>) {
        self.raw = raw
        deferred = Deferred(norm: nil, rectified: true)
    }

    /// The same value read through a ReLU.
    public var rectified: Activation {
        deferred?.norm.map { Activation(raw: raw, norm: $0) } ?? Activation(rectifying: raw)
    }

    /// `[N, H, W, C]`, N the capacity.
    public var shape: Shape { raw.shape }

    /// The rows `range` of the matrix `[rows, C]` in `Float`, with what is deferred applied.
    ///
    /// Returns the memory itself where it already holds the values, else fills `scratch`.
    public func rows(
        _ range: Range<Int>, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        if deferred == nil, let values = raw.floatRow(range.lowerBound) { return values }
        RowKernels.apply(
            raw.row(range.lowerBound), affine: deferred?.affine,
            rectify: deferred?.rectified ?? false,
            rows: range.count, channels: shape.channels, into: scratch)
        return scratch
    }

    /// The rows `range` as a product takes them: with what is deferred applied, in the storage element.
    func operand(
        _ range: Range<Int>, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Element> {
        if deferred == nil { return raw.row(range.lowerBound) }
        let operand = scratch.narrowed(to: Element.self)
        write(range, into: operand)
        return operand
    }

    /// Writes the rows `range` with what is deferred applied.
    func write(_ range: Range<Int>, into operand: UnsafeMutablePointer<Element>) {
        RowKernels.apply(
            raw.row(range.lowerBound), affine: deferred?.affine,
            rectify: deferred?.rectified ?? false,
            rows: range.count, channels: shape.channels, into: operand)
    }

    /// The rows of several activations of equal width, one after the other.
    static func operand(
        _ parts: [(activation: Activation, rows: Range<Int>)],
        scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Element> {
        if parts.count == 1 { return parts[0].activation.operand(parts[0].rows, scratch: scratch) }
        let operand = scratch.narrowed(to: Element.self)
        var target = operand
        for (activation, rows) in parts {
            activation.write(rows, into: target)
            target += rows.count * activation.shape.channels
        }
        return operand
    }

    /// Applies what is deferred, if anything, to raw rows that were copied out.
    func applyDeferred(to values: UnsafeMutablePointer<Element>, rows: Int) {
        guard let deferred else { return }
        RowKernels.apply(
            values, affine: deferred.affine, rectify: deferred.rectified, rows: rows,
            channels: shape.channels, into: values)
    }

    /// A copy of the first `imageCount` images with what is deferred applied, for traces and tests.
    public func values(imageCount: Int) -> [Float] {
        let rows = 0..<(imageCount * shape.locations)
        return [Float](unsafeUninitializedCapacity: rows.count * shape.channels) { buffer, count in
            count = rows.count * shape.channels
            guard let base = buffer.baseAddress else { return }
            RowKernels.apply(
                raw.pointer, affine: deferred?.affine, rectify: deferred?.rectified ?? false,
                rows: rows.count, channels: shape.channels, into: base)
        }
    }
}

extension Tensor where Element: StorageElement {
    /// The row itself when the storage element is `Float`, else nil.
    func floatRow(_ index: Int) -> UnsafeMutablePointer<Float>? {
        guard Element.self == Float.self else { return nil }
        return UnsafeMutableRawPointer(row(index)).assumingMemoryBound(to: Float.self)
    }
}

extension UnsafeMutablePointer<Float> {
    /// The same scratch memory for elements that are at most as wide.
    func narrowed<Element: StorageElement>(
        to type: Element.Type
    ) -> UnsafeMutablePointer<Element> {
        UnsafeMutableRawPointer(self).assumingMemoryBound(to: Element.self)
    }
}
