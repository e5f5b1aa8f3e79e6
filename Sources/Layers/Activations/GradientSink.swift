import Tensors

/// What becomes of the gradient of a convolution's input, chunk by chunk while it is in cache.
///
/// Other readers' gradients are added, the ReLU's zeros are masked, the chunk is stored, and the
/// two per-channel sums that the norm before it needs are gathered.
public struct GradientSink<Element: StorageElement>: Sendable {
    /// A batch norm whose output, possibly among others, the input is made of; the gradient must
    /// reach it unchanged.
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
    let accumulates: Bool

    /// Describes the sink.
    ///
    /// - Parameters:
    ///   - destination: Overwritten with the gradient, `[N, H, W, C]`.
    ///   - added: Another reader's contribution; it may be the destination itself.
    ///   - mask: The input as it is read, rectified; where it is 0 the gradient stops. Nil: it is not
    ///     rectified.
    ///   - norms: The norms that gather their sums from this gradient. Where the mask has a norm,
    ///     that is the last of them.
    ///   - accumulates: Whether the gradient is added to what the destination holds already: an
    ///     input with several readers, of which some read it through a ReLU.
    public init(
        _ destination: Tensor<Element>, adding added: Added? = nil,
        mask: Activation<Element>? = nil, norms: [NormTarget] = [], accumulates: Bool = false
    ) {
        (self.destination, self.added, self.mask) = (destination, added, mask)
        (self.norms, self.accumulates) = (norms, accumulates)
    }

    /// Has the next products fetch what the rows after `rows` read and write here.
    ///
    /// - Parameter input: Is fetched already: what forward read.
    func fetchAhead(after rows: Range<Int>, besides input: Tensor<Element>) {
        destination.fetchAhead(after: rows)
        if let added, added.crop == 0 && added.stride == 1 {
            added.gradient.fetchAhead(after: rows)
        }
        var fetched = [input.pointer]
        for tensor in norms.map(\.raw) + (mask.map { [$0.raw] } ?? [])
        where !fetched.contains(tensor.pointer) {
            fetched.append(tensor.pointer)
            tensor.fetchAhead(after: rows)
        }
    }

    /// Readies the sums of a shard.
    func begin(shard: Int) {
        for target in norms { target.norm.clearGradientSums(shard: shard) }
    }

    /// Takes the finished rows `rows` (flat indices into `[rows, C]`); `values` are changed, so they
    /// are never what `Activation.rows` returned.
    func finish(_ values: UnsafeMutablePointer<Float>, rows: Range<Int>, shard: Int) {
        let channels = destination.shape.channels
        added?.add(to: values, rows: rows, of: destination.shape)
        let result = destination.row(rows.lowerBound)
        var sums = norms.map { target in
            GradientKernels.NormSums(
                raw: target.raw.row(rows.lowerBound), mean: target.norm.mean.pointer,
                sums: target.norm.gradientSums(shard: shard))
        }
        let mask = mask.map {
            GradientKernels.Mask($0.raw.row(rows.lowerBound), affine: $0.deferred?.affine)
        }
        if accumulates {
            GradientKernels.accumulate(
                values, mask: mask, rows: rows.count, channels: channels, to: result)
        } else if let mask {
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
}
