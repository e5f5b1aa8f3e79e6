import Tensors

/// A convolution with any kernel, stride, dilation and margin: patches are gathered for a chunk of
/// output rows at a time and multiplied in one product.
///
/// A bias is only for where every path leads through a batch norm, as its gradient is 0 there.
public struct SpatialConvolution<Element: StorageElement>: Sendable {
    /// What is done with the gradient of the input.
    public enum InputGradient: Sendable {
        /// The input's gradient is not wanted.
        case none
        /// Summed over the patches that share a pixel, `[N, H, W, in]`.
        case pixels(GradientSink<Element>)
        /// Kept per output location, `[N, h, w, in]`; for 1×1 kernels, whose patches share nothing.
        case locations(Tensor<Element>)
    }

    /// The taps.
    public let geometry: PatchGeometry
    let kernel: Parameter
    let bias: Parameter?
    let inputChannels: Int
    let outputChannels: Int

    /// Registers `kernel` `[k, k, in, out]` below `path` and, if asked for, `bias` `[out]`, which
    /// starts at 0.
    ///
    /// - Parameter initial: How the kernel starts; nil: as `Parameter.Initial.kernel` says.
    public init(
        _ path: String, inputChannels: Int, outputChannels: Int, geometry: PatchGeometry,
        biasBeforeNorms hasBias: Bool = false, initial: Parameter.Initial? = nil,
        layout: inout ParameterLayout
    ) {
        let fanIn = geometry.kernel * geometry.kernel * inputChannels
        kernel = layout.parameter(
            "\(path)/kernel",
            shape: [geometry.kernel, geometry.kernel, inputChannels, outputChannels],
            decays: true, initial: initial ?? .kernel(inputs: fanIn))
        bias =
            hasBias
            ? layout.parameter(
                "\(path)/bias", shape: [outputChannels], decays: false, initial: .constant(0))
            : nil
        self.geometry = geometry
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
    }

    /// The output for an input of `shape`.
    public func outputShape(_ shape: Shape) -> Shape {
        Shape(
            shape.images, geometry.outputSize(shape.height), geometry.outputSize(shape.width),
            outputChannels)
    }

    var patchCount: Int { geometry.kernel * geometry.kernel * inputChannels }

    /// Asks the workspace for what forward and backward need on an input of `shape`.
    public func plan(input shape: Shape, in workspace: Workspace) {
        let room = Scratch(self, input: shape, in: workspace)
        workspace.needScratch(workspace.keepsActivations ? room.backwardCount : room.forwardCount)
        workspace.needPacked(
            max(
                PackedMatrix<Element>.byteCount(inner: patchCount, columns: outputChannels),
                PackedMatrix<Element>.byteCount(inner: outputChannels, columns: patchCount)))
        if workspace.keepsActivations { workspace.needPartials(kernel.count) }
    }

    /// The kernel as a matrix `[k·k·in, out]` or, for backward, `[out, k·k·in]`.
    private func packed(transposed: Bool, pass: Pass) -> PackedMatrix<Element> {
        let (inner, columns) =
            transposed ? (outputChannels, patchCount) : (patchCount, outputChannels)
        let (storage, isFilled) = pass.workspace.packed(
            kernel, transposed: transposed,
            byteCount: PackedMatrix<Element>.byteCount(inner: inner, columns: columns))
        return PackedMatrix<Element>(
            Matrix(pass.store.values(kernel), stride: outputChannels), transposed: transposed,
            inner: inner, columns: columns, into: storage, isFilled: isFilled)
    }

    /// The flat rows of a chunk of one use: its images follow each other.
    private static func rows(of parts: [Scratch.Part]) -> Range<Int> {
        parts[0].rows.lowerBound..<parts[parts.count - 1].rows.upperBound
    }

    /// `output = input ∗ kernel (+ bias)`, raw, `[N, h, w, out]`.
    ///
    /// - Parameter norm: The batch norm that follows in training mode: its moments are gathered.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func forward(
        _ input: Activation<Element>, into output: Tensor<Element>,
        momentsOf norm: NormBuffers? = nil, pass: Pass
    ) {
        let weights = packed(transposed: false, pass: pass)
        let biases = bias.map { pass.store.values($0) }
        let room = Scratch(self, input: input.shape, in: pass.workspace)
        pass.forEachShard { shard, images, scratch in
            let moments = norm?.clearedMoments(shard: shard)
            room.forEachChunk(of: images) { parts in
                let rows = Self.rows(of: parts)
                let patches = room.patches(of: parts, scratch: scratch) { _ in input }
                let result = output.floatRow(rows.lowerBound) ?? scratch + room.outputOffset
                output.fetchAhead(after: rows)
                weights.product(patches, into: result, rows: rows.count)
                if let biases {
                    RowKernels.addBias(
                        biases, to: result, rows: rows.count, channels: outputChannels)
                }
                output.store(result, rows: rows, momentsTo: moments)
            }
        }
    }

    /// Reserves the kernel with the norm that follows folded in.
    public func planFolded(in workspace: Workspace) -> FoldedKernel<Element> {
        FoldedKernel(inner: patchCount, columns: outputChannels, in: workspace)
    }

    /// Folds in `norm`, whose scale and shift are known.
    public func fold(
        _ folded: FoldedKernel<Element>, norm: NormBuffers?, store: ParameterStore
    ) {
        folded.fill(store.values(kernel), norm: norm)
    }

    /// `output = relu?(norm(input ∗ kernel))`, final, `[N, h, w, out]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func forward(
        _ input: Activation<Element>, folded: FoldedKernel<Element>, rectified: Bool,
        into output: Tensor<Element>, pass: Pass
    ) {
        let room = Scratch(self, input: input.shape, in: pass.workspace)
        pass.forEachShard { _, images, scratch in
            room.forEachChunk(of: images) { parts in
                let rows = Self.rows(of: parts)
                let patches = room.patches(of: parts, scratch: scratch) { _ in input }
                output.fetchAhead(after: rows)
                folded.product(
                    patches, adding: nil, rectified: rectified,
                    into: output.row(rows.lowerBound), rows: rows.count,
                    scratch: scratch + room.outputOffset)
            }
        }
    }

    /// One use of the layer in a step, as its backward pass sees it.
    public struct Use: Sendable {
        let gradient: GradientSource<Element>
        let input: Activation<Element>
        let inputGradient: InputGradient

        /// Names a use: the gradient of its raw output, what forward read, and what is done with
        /// the gradient of that.
        public init(
            _ gradient: GradientSource<Element>, input: Activation<Element>,
            inputGradient: InputGradient
        ) {
            (self.gradient, self.input) = (gradient, input)
            self.inputGradient = inputGradient
        }
    }

    /// The gradient of the kernel (summed over this rank's shards) and of the input, of a layer
    /// that was used once.
    public func backward(
        _ gradient: GradientSource<Element>, input: Activation<Element>,
        inputGradient: InputGradient, pass: Pass
    ) {
        backward([Use(gradient, input: input, inputGradient: inputGradient)], pass: pass)
    }

    /// The gradient of the kernel, summed over all uses and this rank's shards, and of each use's
    /// input.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func backward(_ uses: [Use], pass: Pass) {
        let wantsInputs = uses.contains {
            if case .none = $0.inputGradient { false } else { true }
        }
        let weights = wantsInputs ? packed(transposed: true, pass: pass) : nil
        let room = Scratch(self, input: uses[0].input.shape, in: pass.workspace)
        pass.sumOverShards(into: [kernel]) { shard, images, scratch, partial in
            let patchGradients = scratch + room.patchGradientOffset
            var pixels = PixelGradients(
                geometry, input: room.input, outputHeight: room.output.height,
                windowHeight: room.slabHeight, window: scratch + room.pixelGradientOffset)
            for case .pixels(let sink) in uses.map(\.inputGradient) { sink.begin(shard: shard) }
            var isFirst = true
            room.forEachChunk(of: images, uses: uses.count) { parts in
                let rows = parts.reduce(0) { $0 + $1.rows.count }
                let outputGradient = GradientSource.operand(
                    parts.map { (uses[$0.use].gradient, $0.rows) },
                    scratch: scratch + room.outputOffset)
                let patches = room.patches(of: parts, scratch: scratch) { uses[$0].input }
                if parts.count == 1 { uses[parts[0].use].gradient.fetchAhead(after: parts[0].rows) }
                // output = patches·kernel, for the kernel:
                MatrixMultiply.product(
                    transposed: patches, outputGradient,
                    into: partial, rows: patchCount, columns: outputChannels, inner: rows,
                    adding: !isFirst)
                isFirst = false
                // … and for the patches:
                guard let weights else { return }
                weights.product(outputGradient, into: patchGradients, rows: rows)
                var values = patchGradients
                for part in parts {
                    finish(
                        values, part, into: uses[part.use].inputGradient, pixels: &pixels,
                        room: room, shard: shard)
                    values += part.rows.count * patchCount
                }
            }
        }
        if let bias { pass.completeWithoutGradient([bias]) }
    }

    /// Takes the gradients of one image's patches, `[rows, k·k·in]`.
    @inline(__always)
    private func finish(
        _ patchGradients: UnsafeMutablePointer<Float>, _ part: Scratch.Part,
        into inputGradient: InputGradient, pixels: inout PixelGradients, room: Scratch,
        shard: Int
    ) {
        switch inputGradient {
        case .none: break
        case .locations(let destination):
            RowKernels.store(
                patchGradients, count: part.rows.count * patchCount,
                into: destination.row(part.rows.lowerBound))
        case .pixels(let sink):
            pixels.add(outputRows: part.outputRows, image: part.image) { window, firstRow in
                geometry.scatter(
                    patchGradients, outputRows: part.outputRows, outputWidth: room.output.width,
                    addingTo: window, firstInputRow: firstRow, inputHeight: room.input.height,
                    inputWidth: room.input.width, channels: inputChannels)
            } finish: {
                sink.finish($0, rows: $1, shard: shard)
            }
        }
    }
}
