import Tensors

/// A convolution with any kernel, stride, dilation and margin, without bias: patches are gathered
/// for a chunk of output rows at a time and multiplied in one product.
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
    let inputChannels: Int
    let outputChannels: Int

    /// Registers `kernel` `[k, k, in, out]` below `path`.
    public init(
        _ path: String, inputChannels: Int, outputChannels: Int, geometry: PatchGeometry,
        layout: inout ParameterLayout
    ) {
        let fanIn = geometry.kernel * geometry.kernel * inputChannels
        kernel = layout.parameter(
            "\(path)/kernel",
            shape: [geometry.kernel, geometry.kernel, inputChannels, outputChannels],
            decays: true, initial: .kernel(inputs: fanIn))
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

    /// `output = input ∗ kernel`, raw, `[N, h, w, out]`.
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
        let room = Scratch(self, input: input.shape, in: pass.workspace)
        pass.forEachShard { shard, images, scratch in
            let moments = norm?.clearedMoments(shard: shard)
            room.forEachChunk(of: images) { image, outputRows, rows in
                let patches = room.patches(
                    of: outputRows, image: image, input: input, scratch: scratch)
                let result = output.floatRow(rows.lowerBound) ?? scratch + room.outputOffset
                weights.product(patches, into: result, rows: rows.count)
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

    /// The gradient of the kernel (summed over this rank's shards) and of the input.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func backward(
        _ gradient: GradientSource<Element>, input: Activation<Element>,
        inputGradient: InputGradient, pass: Pass
    ) {
        let weights = PackedMatrix<Element>(
            Matrix(pass.store.values(kernel), stride: outputChannels), transposed: true,
            inner: outputChannels,
            columns: patchCount, into: pass.workspace.packed)
        let room = Scratch(self, input: input.shape, in: pass.workspace)
        pass.sumOverShards(into: [kernel]) { shard, images, scratch, partial in
            let patchGradients = scratch + room.patchGradientOffset
            var pixels = PixelGradients(
                geometry, input: room.input, outputHeight: room.output.height,
                windowHeight: room.slabHeight, window: scratch + room.pixelGradientOffset)
            if case .pixels(let sink) = inputGradient { sink.begin(shard: shard) }
            var isFirst = true
            room.forEachChunk(of: images) { image, outputRows, rows in
                let outputGradient = gradient.operand(
                    rows, scratch: scratch + room.outputOffset)
                let patches = room.patches(
                    of: outputRows, image: image, input: input, scratch: scratch)
                // output = patches·kernel, for the kernel:
                MatrixMultiply.product(
                    transposed: patches, outputGradient,
                    into: partial, rows: patchCount, columns: outputChannels, inner: rows.count,
                    adding: !isFirst)
                isFirst = false
                if case .none = inputGradient { return }
                // … and for the patches:
                weights.product(outputGradient, into: patchGradients, rows: rows.count)
                switch inputGradient {
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
}
