import Tensors

/// A 1×1 convolution of stride 1: one matrix product per chunk of rows.
///
/// Several inputs are taken as if concatenated along their channels, without copying them together.
public struct PointwiseConvolution<Element: StorageElement>: Sendable {
    let kernel: Parameter
    let bias: Parameter?
    /// Whether the bias has a gradient.
    private let trainsBias: Bool
    let inputChannels: [Int]
    /// Channels of the output.
    public let outputChannels: Int

    /// Registers `kernel` `[1, 1, in, out]` below `path` and, if asked for, `bias` `[out]`, which
    /// starts at 0.
    ///
    /// - Parameters:
    ///   - beforeNorms: Whether every path from the output leads through a batch norm, so that the
    ///     bias's gradient is 0 (`Pass.completeWithoutGradient`).
    ///   - initial: How the kernel starts; nil: as `Parameter.Initial.kernel` says.
    public init(
        _ path: String, inputChannels: [Int], outputChannels: Int, bias hasBias: Bool = false,
        beforeNorms: Bool = false, initial: Parameter.Initial? = nil,
        layout: inout ParameterLayout
    ) {
        let inputs = inputChannels.reduce(0, +)
        kernel = layout.parameter(
            "\(path)/kernel", shape: [1, 1, inputs, outputChannels], decays: true,
            initial: initial ?? .kernel(inputs: inputs))
        bias =
            hasBias
            ? layout.parameter(
                "\(path)/bias", shape: [outputChannels], decays: false, initial: .constant(0))
            : nil
        trainsBias = hasBias && !beforeNorms
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
    }

    /// Asks the workspace for what forward and backward need.
    public func plan(in workspace: Workspace) {
        let rows = chunkRows(workspace)
        let widest = inputChannels.reduce(0, max)
        // Forward: an input and an output chunk; backward: two input chunks and an output chunk.
        workspace.needScratch(rows * (2 * widest + outputChannels))
        workspace.needPacked(
            inputChannels.reduce(0) { sum, channels in
                let forward = PackedMatrix<Element>.byteCount(
                    inner: channels, columns: outputChannels)
                let backward = PackedMatrix<Element>.byteCount(
                    inner: outputChannels, columns: channels)
                return sum + max(forward, backward)
            })
        if workspace.keepsActivations { workspace.needPartials(partialCount) }
    }

    private func chunkRows(_ workspace: Workspace) -> Int {
        workspace.chunkRows(columns: inputChannels.reduce(outputChannels, max))
    }

    /// Each input's part of the kernel, `[in, out]` or, for backward, `[out, in]`.
    private func packed(transposed: Bool, pass: Pass) -> [PackedMatrix<Element>] {
        var source = pass.store.values(kernel)
        var storage = pass.workspace.packed
        return inputChannels.map { channels in
            let (inner, columns) =
                transposed ? (outputChannels, channels) : (channels, outputChannels)
            let part = PackedMatrix<Element>(
                Matrix(source, stride: outputChannels), transposed: transposed, inner: inner,
                columns: columns, into: storage)
            source += channels * outputChannels
            storage += PackedMatrix<Element>.byteCount(inner: inner, columns: columns)
            return part
        }
    }

    /// Reserves the kernel with the norm that follows folded in, and scratch for its products.
    public func planFolded(in workspace: Workspace) -> FoldedKernel<Element> {
        let inputs = inputChannels.reduce(0, +)
        workspace.needScratch(chunkRows(workspace) * (inputs + 2 * outputChannels))
        return FoldedKernel(inner: inputs, columns: outputChannels, in: workspace)
    }

    /// Folds in `norm`, whose scale and shift are known.
    public func fold(
        _ folded: FoldedKernel<Element>, norm: NormBuffers?, store: ParameterStore
    ) {
        folded.fill(store.values(kernel), norm: norm)
    }

    /// `output = relu?(norm(input·kernel) (+ residual))`, final, `[N, H, W, out]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func forward(
        _ input: Activation<Element>, folded: FoldedKernel<Element>,
        adding residual: Residual<Element>?,
        rectified: Bool, into output: Tensor<Element>, pass: Pass
    ) {
        let rowCount = chunkRows(pass.workspace)
        pass.forEachShard { _, images, scratch in
            let outputScratch = scratch + rowCount * input.shape.channels
            let residualScratch = outputScratch + rowCount * outputChannels
            pass.forEachChunk(
                of: images, locations: output.shape.locations, rowCount: rowCount
            ) { rows in
                folded.product(
                    input.operand(rows, scratch: scratch),
                    adding: residual?.rows(
                        rows, scratch: residualScratch.narrowed(to: Element.self)),
                    rectified: rectified, into: output.row(rows.lowerBound), rows: rows.count,
                    scratch: outputScratch)
            }
        }
    }

    /// What has a gradient, in the order of registration.
    private var trained: [Parameter] { [kernel] + (bias.map { trainsBias ? [$0] : [] } ?? []) }

    private var partialCount: Int { trained.reduce(0) { $0 + $1.count } }

    /// `output = concat(inputs)·kernel (+ bias)`, raw, `[N, H, W, out]`.
    ///
    /// - Parameters:
    ///   - inputs: The last ones may be left out, as if they were 0.
    ///   - norm: The batch norm that follows in training mode: its moments are gathered.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func forward(
        _ inputs: [Activation<Element>], into output: Tensor<Element>,
        momentsOf norm: NormBuffers? = nil, pass: Pass
    ) {
        let weights = packed(transposed: false, pass: pass)
        let biases = bias.map { pass.store.values($0) }
        let widest = inputChannels.reduce(0, max)
        let rowCount = chunkRows(pass.workspace)
        pass.forEachShard { shard, images, scratch in
            let moments = norm?.clearedMoments(shard: shard)
            let outputScratch = scratch + rowCount * widest
            pass.forEachChunk(
                of: images, locations: output.shape.locations, rowCount: rowCount
            ) { rows in
                let result = output.floatRow(rows.lowerBound) ?? outputScratch
                for (index, input) in inputs.enumerated() {
                    weights[index].product(
                        input.operand(rows, scratch: scratch), into: result, rows: rows.count,
                        adding: index > 0)
                }
                if let biases {
                    RowKernels.addBias(
                        biases, to: result, rows: rows.count, channels: outputChannels)
                }
                output.store(result, rows: rows, momentsTo: moments)
            }
        }
    }

    /// One use of the layer in a step, as its backward pass sees it.
    public struct Use: Sendable {
        let gradient: GradientSource<Element>
        let inputs: [Activation<Element>]
        let sinks: [GradientSink<Element>?]

        /// Names a use.
        ///
        /// - Parameters:
        ///   - gradient: Of the raw output.
        ///   - inputs: What forward read; the last ones may be left out, as if they were 0.
        ///   - sinks: Where each input's gradient goes; nil where none is wanted.
        public init(
            _ gradient: GradientSource<Element>, inputs: [Activation<Element>],
            sinks: [GradientSink<Element>?]
        ) {
            (self.gradient, self.inputs, self.sinks) = (gradient, inputs, sinks)
        }
    }

    /// The gradients of kernel and bias (summed over this rank's shards) and of the inputs, of a
    /// layer that was used once.
    public func backward(
        _ gradient: GradientSource<Element>, inputs: [Activation<Element>],
        sinks: [GradientSink<Element>?], pass: Pass
    ) {
        backward([Use(gradient, inputs: inputs, sinks: sinks)], pass: pass)
    }

    /// The gradients of kernel and bias, summed over all uses and this rank's shards, and of each
    /// use's inputs (`ParameterStore` says why all uses come at once).
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func backward(_ uses: [Use], pass: Pass) {
        let weights = packed(transposed: true, pass: pass)
        let rowCount = chunkRows(pass.workspace)
        let widest = inputChannels.reduce(0, max)
        pass.sumOverShards(into: trained) { shard, images, scratch, partial in
            let inputGradientScratch = scratch + rowCount * widest
            let gradientScratch = inputGradientScratch + rowCount * widest
            let biasCount = partialCount - kernel.count
            let kernelPartial = partial + biasCount
            partial.update(repeating: 0, count: biasCount)
            /// Inputs, the first ones, whose part of the gradient has been written.
            var written = 0
            for use in uses {
                for sink in use.sinks { sink?.begin(shard: shard) }
                pass.forEachChunk(
                    of: images, locations: use.inputs[0].shape.locations, rowCount: rowCount
                ) { rows in
                    let outputGradient = use.gradient.operand(rows, scratch: gradientScratch)
                    if trainsBias {
                        RowKernels.addSums(
                            outputGradient, rows: rows.count, channels: outputChannels,
                            to: partial)
                    }
                    var first = 0
                    for (index, input) in use.inputs.enumerated() {
                        let channels = inputChannels[index]
                        // output = input·kernel, for the kernel:
                        MatrixMultiply.product(
                            transposed: input.operand(rows, scratch: scratch), outputGradient,
                            into: kernelPartial + first * outputChannels,
                            rows: channels, columns: outputChannels, inner: rows.count,
                            adding: index < written)
                        // … and for the input:
                        if let sink = use.sinks[index] {
                            weights[index].product(
                                outputGradient, into: inputGradientScratch, rows: rows.count)
                            sink.finish(inputGradientScratch, rows: rows, shard: shard)
                        }
                        first += channels
                    }
                    written = max(written, use.inputs.count)
                }
            }
            let rows = inputChannels.prefix(written).reduce(0, +)
            (kernelPartial + rows * outputChannels).update(
                repeating: 0, count: kernel.count - rows * outputChannels)
        }
        if let bias, !trainsBias { pass.completeWithoutGradient([bias]) }
    }

    /// The gradients of one use's inputs alone; the kernel's follow when those of all uses are
    /// known.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func backwardInputs(_ use: Use, pass: Pass) {
        let weights = packed(transposed: true, pass: pass)
        let rowCount = chunkRows(pass.workspace)
        let widest = inputChannels.reduce(0, max)
        pass.forEachShard { shard, images, scratch in
            let gradientScratch = scratch + 2 * rowCount * widest
            for sink in use.sinks { sink?.begin(shard: shard) }
            pass.forEachChunk(
                of: images, locations: use.inputs[0].shape.locations, rowCount: rowCount
            ) { rows in
                let outputGradient = use.gradient.operand(rows, scratch: gradientScratch)
                for (index, sink) in use.sinks.enumerated() {
                    guard let sink else { continue }
                    weights[index].product(outputGradient, into: scratch, rows: rows.count)
                    sink.finish(scratch, rows: rows, shard: shard)
                }
            }
        }
    }
}

extension Pass {
    /// Runs `body` for the chunks of the rows that belong to `images`, in order.
    func forEachChunk(
        of images: Range<Int>, locations: Int, rowCount: Int? = nil,
        _ body: (_ rows: Range<Int>) -> Void
    ) {
        let rowCount = rowCount ?? workspace.chunkRows
        let end = images.upperBound * locations
        var row = images.lowerBound * locations
        while row < end {
            let next = min(end, row + rowCount)
            body(row..<next)
            row = next
        }
    }
}

extension Tensor where Element: StorageElement {
    /// Narrows finished rows into storage and gathers their moments where wanted.
    ///
    /// - Parameter values: In place where the element is `Float`.
    func store(
        _ values: UnsafeMutablePointer<Float>, rows: Range<Int>,
        momentsTo moments: UnsafeMutablePointer<Double>?
    ) {
        let result = row(rows.lowerBound)
        if let moments {
            RowKernels.storeAddingMoments(
                values, rows: rows.count, channels: shape.channels, to: moments, into: result)
        } else if floatRow(rows.lowerBound) == nil {
            RowKernels.store(values, count: rows.count * shape.channels, into: result)
        }
    }
}
