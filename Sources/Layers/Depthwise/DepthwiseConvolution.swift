import Tensors

/// A convolution of each channel with a kernel of its own, without bias; SAME margins.
public struct DepthwiseConvolution<Element: StorageElement>: Sendable {
    /// The windows.
    public let padding: SamePadding
    let kernel: Parameter
    let channels: Int

    /// Registers `kernel` `[k, k, C, 1]` below `path`.
    public init(
        _ path: String, channels: Int, padding: SamePadding, layout: inout ParameterLayout
    ) {
        let side = padding.kernel
        kernel = layout.parameter(
            "\(path)/kernel", shape: [side, side, channels, 1], decays: true,
            initial: .truncatedHe(inputs: side * side))
        (self.padding, self.channels) = (padding, channels)
    }

    private func sums(_ input: Shape) -> WindowSums {
        WindowSums(padding, input: input, hasWeights: true)
    }

    /// The output for an input of `shape`.
    public func outputShape(_ shape: Shape) -> Shape { sums(shape).output }

    /// Asks the workspace for what forward and backward need on an input of `shape`.
    public func plan(input shape: Shape, in workspace: Workspace) {
        workspace.needScratch(sums(shape).scratchCount(backward: workspace.keepsActivations))
        if workspace.keepsActivations { workspace.needPartials(kernel.count) }
    }

    /// `output = input ∗ kernel`, `[N, h, w, C]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func forward(
        _ input: Activation<Element>, into output: Tensor<Element>, pass: Pass
    ) {
        let sums = sums(input.shape)
        let weights = pass.store.values(kernel)
        pass.forEachShard { _, images, scratch in
            let scratch = sums.divide(scratch, backward: false, weights: weights)
            sums.forward(images, input, into: output, scratch)
        }
    }

    /// Inverts `output = input ∗ kernel` for the kernel (its gradient is summed over this rank's
    /// shards) and for the input.
    ///
    /// - Parameter outputGradient: `[N, h, w, C]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func backward(
        _ outputGradient: Tensor<Element>, input: Activation<Element>,
        sink: GradientSink<Element>?, pass: Pass
    ) {
        let sums = sums(input.shape)
        let weights = pass.store.values(kernel)
        pass.sumOverShards(into: [kernel]) { shard, images, scratch, partial in
            let scratch = sums.divide(scratch, backward: true, weights: weights)
            sink?.begin(shard: shard)
            for image in images {
                sums.addKernelGradient(
                    image: image, of: images, outputGradient, input: input, scratch)
                guard let sink else { continue }
                sums.backward(
                    image: image, outputGradient, destination: sink.destination, scratch
                ) { rows in
                    sink.finish(scratch.dense, rows: rows, shard: shard)
                }
            }
            sums.storeKernelGradient(scratch, into: partial)
        }
    }
}
