import Tensors

/// A 1×1 convolution of stride 1: one matrix product per chunk of rows.
///
/// Several inputs are taken as if concatenated along their channels, without copying them together.
public struct PointwiseConvolution<Element: StorageElement>: Sendable {
    let kernel: Parameter
    let bias: Parameter?
    /// Whether the bias has a gradient.
    let trainsBias: Bool
    /// Whether uses depend on each other, so that `backwardParameters` follows later.
    let isRecurrent: Bool
    let inputChannels: [Int]
    /// Channels of the output.
    public let outputChannels: Int

    /// Registers `kernel` `[1, 1, in, out]` below `path` and, if asked for, `bias` `[out]`, which
    /// starts at 0.
    ///
    /// - Parameters:
    ///   - beforeNorms: Whether every path from the output leads through a batch norm, so that the
    ///     bias's gradient is 0 (`Pass.completeWithoutGradient`).
    ///   - isRecurrent: Whether uses depend on each other: their backward pass is `backwardInputs`
    ///     and `backwardParameters`, and they have one row an image.
    ///   - initial: How the kernel starts; nil: as `Parameter.Initial.kernel` says.
    public init(
        _ path: String, inputChannels: [Int], outputChannels: Int, bias hasBias: Bool = false,
        beforeNorms: Bool = false, isRecurrent: Bool = false, initial: Parameter.Initial? = nil,
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
        self.isRecurrent = isRecurrent
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
    }

    /// Asks the workspace for what forward and backward need.
    public func plan(in workspace: Workspace) {
        let rows = chunkRows(workspace)
        let widest = inputChannels.reduce(0, max)
        // Forward: an input and an output chunk; backward: two input chunks and an output chunk.
        workspace.needScratch(rows * (2 * widest + outputChannels) + outputChannels)
        workspace.needPacked(
            inputChannels.reduce(0) { sum, channels in
                let forward = PackedMatrix<Element>.byteCount(
                    inner: channels, columns: outputChannels)
                let backward = PackedMatrix<Element>.byteCount(
                    inner: outputChannels, columns: channels)
                return sum + max(forward, backward)
            })
        if workspace.keepsActivations {
            workspace.needPartials(isRecurrent ? blockRows * outputChannels : partialCount)
        }
    }

    /// Rows of a chunk where there is one an image: their matrices are wide.
    private static var recurrentRows: Int { 128 }

    func chunkRows(_ workspace: Workspace) -> Int {
        if isRecurrent { return Self.recurrentRows }
        return workspace.chunkRows(columns: inputChannels.reduce(outputChannels, max))
    }

    /// Each input's part of the kernel, `[in, out]` or, for backward, `[out, in]`.
    func packed(transposed: Bool, pass: Pass) -> [PackedMatrix<Element>] {
        var source = pass.store.values(kernel)
        let sizes = inputChannels.map { transposed ? (outputChannels, $0) : ($0, outputChannels) }
        var (storage, isFilled) = pass.workspace.packed(
            kernel, transposed: transposed,
            byteCount: sizes.reduce(0) {
                $0 + PackedMatrix<Element>.byteCount(inner: $1.0, columns: $1.1)
            })
        return sizes.map { inner, columns in
            let part = PackedMatrix<Element>(
                Matrix(source, stride: outputChannels), transposed: transposed, inner: inner,
                columns: columns, into: storage, isFilled: isFilled, pool: pass.pool)
            source += inner * columns
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
                input.raw.fetchAhead(after: rows)
                output.fetchAhead(after: rows)
                residual?.fetchAhead(after: rows)
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
    var trained: [Parameter] { [kernel] + (bias.map { trainsBias ? [$0] : [] } ?? []) }

    var partialCount: Int { trained.reduce(0) { $0 + $1.count } }

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
        // What no one else reads in single precision is narrowed where it is written.
        let isNarrowed =
            Element.self != Float.self && inputs.count == 1 && norm == nil && biases == nil
        pass.forEachShard { shard, images, scratch in
            let moments = norm?.clearedMoments(shard: shard)
            let outputScratch = scratch + rowCount * widest
            let zeros = outputScratch + rowCount * outputChannels
            if isNarrowed { zeros.update(repeating: 0, count: outputChannels) }
            pass.forEachChunk(
                of: images, locations: output.shape.locations, rowCount: rowCount
            ) { rows in
                if isNarrowed {
                    return weights[0].product(
                        inputs[0].operand(rows, scratch: scratch),
                        finish: .init(bias: zeros, adding: nil, rectify: false),
                        into: output.row(rows.lowerBound), rows: rows.count,
                        scratch: outputScratch)
                }
                let result = output.floatRow(rows.lowerBound) ?? outputScratch
                for (index, input) in inputs.enumerated() {
                    input.raw.fetchAhead(after: rows)
                    if index == 0 { output.fetchAhead(after: rows) }
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
