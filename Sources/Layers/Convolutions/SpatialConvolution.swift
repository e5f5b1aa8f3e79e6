import Tensors

/// A convolution with any kernel, stride, dilation and margin: patches are gathered for a chunk of
/// output rows at a time and multiplied in one product.
///
/// A bias is only for where every path leads through a batch norm, as its gradient is 0 there.
public struct SpatialConvolution<Element: StorageElement>: Sendable {
    /// What is done with the gradient of the input.
    public enum InputGradient: Sendable {
        /// Not wanted.
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

    /// `output = input ∗ kernel (+ bias)`, raw, `[N, h, w, out]`.
    ///
    /// - Parameter norm: The batch norm that follows in training mode: its moments are gathered.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func forward(
        _ input: Activation<Element>, into output: Tensor<Element>,
        momentsOf norm: NormBuffers? = nil, pass: Pass
    ) {
        let weights = PackedMatrix<Element>(
            Matrix(pass.store.values(kernel), stride: outputChannels), inner: patchCount,
            columns: outputChannels, into: pass.workspace.packed)
        let biases = bias.map { pass.store.values($0) }
        let room = Scratch(self, input: input.shape, in: pass.workspace)
        pass.forEachShard { shard, images, scratch in
            let moments = norm?.clearedMoments(shard: shard)
            room.forEachChunk(of: images) { image, outputRows, rows in
                let patches = room.patches(
                    of: outputRows, image: image, input: input, scratch: scratch)
                let result = output.floatRow(rows.lowerBound) ?? scratch + room.outputOffset
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
            room.forEachChunk(of: images) { image, outputRows, rows in
                let patches = room.patches(
                    of: outputRows, image: image, input: input, scratch: scratch)
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
        let weights = PackedMatrix<Element>(
            Matrix(pass.store.values(kernel), stride: outputChannels), transposed: true,
            inner: outputChannels,
            columns: patchCount, into: pass.workspace.packed)
        pass.sumOverShards(into: [kernel]) { shard, images, scratch, partial in
            var isFirst = true
            for use in uses {
                backward(
                    use, weights: weights, shard: shard, images: images, scratch: scratch,
                    kernelGradient: partial, isFirst: &isFirst, workspace: pass.workspace)
            }
        }
        if let bias { pass.completeWithoutGradient([bias]) }
    }

    /// One shard's part of one use.
    ///
    /// - Parameters:
    ///   - kernelGradient: Added to, unless this is the first chunk.
    ///   - isFirst: Whether nothing has been added yet.
    @inline(__always)
    private func backward(
        _ use: Use, weights: PackedMatrix<Element>, shard: Int, images: Range<Int>,
        scratch: UnsafeMutablePointer<Float>, kernelGradient: UnsafeMutablePointer<Float>,
        isFirst: inout Bool, workspace: Workspace
    ) {
        let room = Scratch(self, input: use.input.shape, in: workspace)
        let patchGradients = scratch + room.patchGradientOffset
        var pixels = PixelGradients(
            geometry, input: room.input, outputHeight: room.output.height,
            windowHeight: room.slabHeight, window: scratch + room.pixelGradientOffset)
        if case .pixels(let sink) = use.inputGradient { sink.begin(shard: shard) }
        room.forEachChunk(of: images) { image, outputRows, rows in
            let outputGradient = use.gradient.operand(
                rows, scratch: scratch + room.outputOffset)
            let patches = room.patches(
                of: outputRows, image: image, input: use.input, scratch: scratch)
            // output = patches·kernel, for the kernel:
            MatrixMultiply.product(
                transposed: patches, outputGradient,
                into: kernelGradient, rows: patchCount, columns: outputChannels,
                inner: rows.count, adding: !isFirst)
            isFirst = false
            if case .none = use.inputGradient { return }
            // … and for the patches:
            weights.product(outputGradient, into: patchGradients, rows: rows.count)
            switch use.inputGradient {
            case .none: break
            case .locations(let destination):
                RowKernels.store(
                    patchGradients, count: rows.count * patchCount,
                    into: destination.row(rows.lowerBound))
            case .pixels(let sink):
                pixels.add(outputRows: outputRows, image: image) { window, firstRow in
                    geometry.scatter(
                        patchGradients, outputRows: outputRows, outputWidth: room.output.width,
                        addingTo: window, firstInputRow: firstRow,
                        inputHeight: room.input.height, inputWidth: room.input.width,
                        channels: inputChannels)
                } finish: {
                    sink.finish($0, rows: $1, shard: shard)
                }
            }
        }
    }
}
