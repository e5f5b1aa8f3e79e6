import Tensors

/// What becomes of the gradient of a convolution's input, chunk by chunk while it is in cache.
///
/// Other readers' gradients are added, the ReLU's zeros are masked, the chunk is stored, and the
/// two per-channel sums that the norm before it needs are gathered.
public struct GradientSink<Element: StorageElement>: Sendable {
    /// The gradient that another reader of the same input has left.
    public struct Added: Sendable {
        let gradient: Tensor<Element>
        let crop: Int
        let stride: Int

        /// Row (i, j) of `gradient` belongs to pixel (crop + stride·i, crop + stride·j).
        public init(_ gradient: Tensor<Element>, crop: Int = 0, stride: Int = 1) {
            (self.gradient, self.crop, self.stride) = (gradient, crop, stride)
        }
    }

    /// A batch norm whose output, possibly among others, the input is made of.
    public struct NormTarget: Sendable {
        let raw: Tensor<Element>
        let norm: NormBuffers

        /// `raw` is what the norm normalised.
        public init(raw: Tensor<Element>, norm: NormBuffers) {
            (self.raw, self.norm) = (raw, norm)
        }
    }

    let destination: Tensor<Element>
    let added: Added?
    let mask: Activation<Element>?
    let norms: [NormTarget]

    /// Describes the sink.
    ///
    /// - Parameters:
    ///   - destination: Overwritten with the gradient, `[N, H, W, C]`.
    ///   - added: Another reader's contribution.
    ///   - mask: The rectified input; where it is 0 the gradient stops. Nil: not rectified.
    ///   - norms: The norms that gather their sums from this gradient.
    public init(
        _ destination: Tensor<Element>, adding added: Added? = nil,
        mask: Activation<Element>? = nil, norms: [NormTarget] = []
    ) {
        (self.destination, self.added, self.mask) = (destination, added, mask)
        self.norms = norms
    }

    /// Readies the sums of a shard.
    func begin(shard: Int) {
        for target in norms { target.norm.clearGradientSums(shard: shard) }
    }

    /// Takes the finished rows `rows` (flat indices into `[rows, C]`), `values` in place.
    func finish(_ values: UnsafeMutablePointer<Float>, rows: Range<Int>, shard: Int) {
        let channels = destination.shape.channels
        if let added { add(added, to: values, rows: rows) }
        let result = destination.row(rows.lowerBound)
        var sums = norms.map { target in
            GradientKernels.NormSums(
                raw: target.raw.row(rows.lowerBound), mean: target.norm.mean.pointer,
                sums: target.norm.gradientSums(shard: shard))
        }
        if let mask {
            let mask = GradientKernels.Mask(
                mask.raw.row(rows.lowerBound), affine: mask.note?.affine)
            if let norm = sums.popLast() {
                GradientKernels.finish(
                    values, mask: mask, norm: norm, rows: rows.count, channels: channels,
                    into: result)
            } else {
                GradientKernels.finish(
                    values, mask: mask, rows: rows.count, channels: channels, into: result)
            }
        } else {
            RowKernels.store(values, count: rows.count * channels, into: result)
        }
        for norm in sums {
            GradientKernels.addNormSums(
                result, norm: norm, rows: rows.count, channels: channels)
        }
    }

    private func add(_ added: Added, to values: UnsafeMutablePointer<Float>, rows: Range<Int>) {
        let shape = destination.shape
        let (channels, source) = (shape.channels, added.gradient)
        if added.crop == 0 && added.stride == 1 {
            GradientKernels.add(
                source.row(rows.lowerBound), to: values, count: rows.count * channels)
            return
        }
        var row = rows.lowerBound
        while row < rows.upperBound {
            let (image, location) = (row / shape.locations, row % shape.locations)
            let (y, x) = (location / shape.width, location % shape.width)
            let end = min(shape.width, x + rows.upperBound - row)
            let i = y - added.crop
            if i >= 0 && i % added.stride == 0 && i / added.stride < source.shape.height {
                let sourceRow =
                    (image * source.shape.height + i / added.stride) * source.shape.width
                addRun(
                    added, sourceRow: sourceRow, columns: x..<end,
                    to: values + (row - rows.lowerBound) * channels)
            }
            row += end - x
        }
    }

    /// Adds what belongs to the pixels `columns` of one row of pixels.
    private func addRun(
        _ added: Added, sourceRow: Int, columns: Range<Int>,
        to values: UnsafeMutablePointer<Float>
    ) {
        let channels = destination.shape.channels
        let width = added.gradient.shape.width
        if added.stride == 1 {
            let first = max(columns.lowerBound, added.crop)
            let end = min(columns.upperBound, added.crop + width)
            guard first < end else { return }
            GradientKernels.add(
                added.gradient.row(sourceRow + first - added.crop),
                to: values + (first - columns.lowerBound) * channels,
                count: (end - first) * channels)
            return
        }
        for x in columns {
            let j = x - added.crop
            guard j >= 0, j % added.stride == 0, j / added.stride < width else { continue }
            GradientKernels.add(
                added.gradient.row(sourceRow + j / added.stride),
                to: values + (x - columns.lowerBound) * channels, count: channels)
        }
    }
}
