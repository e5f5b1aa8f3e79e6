import Tensors

/// A stack of two separable convolutions, as NASNet's cells have it: relu → depthwise of some
/// stride → 1×1 → norm → relu → depthwise → 1×1 → norm.
///
/// Source: Zoph, Vasudevan, Shlens, Le, "Learning transferable architectures for scalable image
/// recognition", CVPR 2018, appendix A.
public struct SeparableConvolution<Element: StorageElement>: Sendable {
    private let depthwise1: DepthwiseConvolution<Element>
    private let pointwise1: NormalizedPointwise<Element>
    private let depthwise2: DepthwiseConvolution<Element>
    private let pointwise2: NormalizedPointwise<Element>

    /// Registers the parameters below `path`.
    public init(
        _ path: String, padding: SamePadding, inputs: Int, outputs: Int,
        norms: BatchNormConfiguration, layout: inout ParameterLayout
    ) {
        depthwise1 = DepthwiseConvolution(
            "\(path)/depthwise1", channels: inputs, padding: padding, layout: &layout)
        pointwise1 = NormalizedPointwise(
            "\(path)/pointwise1", normPath: "\(path)/norm1", inputs: [inputs], outputs: outputs,
            norms: norms, layout: &layout)
        depthwise2 = DepthwiseConvolution(
            "\(path)/depthwise2", channels: outputs, padding: SamePadding(kernel: padding.kernel),
            layout: &layout)
        pointwise2 = NormalizedPointwise(
            "\(path)/pointwise2", normPath: "\(path)/norm2", inputs: [outputs], outputs: outputs,
            norms: norms, layout: &layout)
    }

    /// Where the values lie during a step.
    public struct Buffers: Sendable {
        let input: Activation<Element>
        let depthwise1: Tensor<Element>
        let pointwise1: NormalizedPointwise<Element>.Buffers
        let depthwise2: Tensor<Element>
        /// The output: its `value`, and the norm whose gradient sums the reader gathers.
        public let output: NormalizedPointwise<Element>.Buffers
    }

    /// Reserves the values; where none are kept, all but the output are given back.
    ///
    /// - Parameter input: As it is before the first ReLU.
    public func plan(input: Activation<Element>, in workspace: Workspace) -> Buffers {
        let (arena, keeps) = (workspace.arena, workspace.keepsActivations)
        let input = input.rectified
        depthwise1.plan(input: input.shape, in: workspace)
        let first = Tensor<Element>(depthwise1.outputShape(input.shape), in: arena)
        let middle = pointwise1.plan(inputs: [Activation(final: first)], in: workspace)
        if !keeps { first.release() }
        depthwise2.plan(input: middle.raw.shape, in: workspace)
        let second = Tensor<Element>(depthwise2.outputShape(middle.raw.shape), in: arena)
        if !keeps { middle.raw.release() }
        let output = pointwise2.plan(inputs: [Activation(final: second)], in: workspace)
        if !keeps { second.release() }
        return Buffers(
            input: input, depthwise1: first, pointwise1: middle, depthwise2: second,
            output: output)
    }

    /// Fills the output.
    public func forward(_ buffers: Buffers, mode: NormMode, pass: Pass) throws {
        depthwise1.forward(buffers.input, into: buffers.depthwise1, pass: pass)
        try pointwise1.forward(buffers.pointwise1, mode: mode, pass: pass)
        depthwise2.forward(
            buffers.pointwise1.value.rectified, into: buffers.depthwise2, pass: pass)
        try pointwise2.forward(buffers.output, mode: mode, pass: pass)
    }

    /// Where the gradients lie during a backward pass.
    public struct Gradients: Sendable {
        let depthwise1: Tensor<Element>
        let middle: Tensor<Element>
        let depthwise2: Tensor<Element>
    }

    /// Reserves the gradients in the order of the backward pass, and gives back them and what was
    /// kept.
    public func planBackward(_ buffers: Buffers, in workspace: Workspace) -> Gradients {
        let arena = workspace.arena
        let depthwise2 = Tensor<Element>(buffers.depthwise2.shape, in: arena)
        let middle = Tensor<Element>(buffers.pointwise1.raw.shape, in: arena)
        buffers.output.raw.release()
        buffers.depthwise2.release()
        let depthwise1 = Tensor<Element>(buffers.depthwise1.shape, in: arena)
        depthwise2.release()
        buffers.pointwise1.raw.release()
        middle.release()
        buffers.depthwise1.release()
        depthwise1.release()
        return Gradients(depthwise1: depthwise1, middle: middle, depthwise2: depthwise2)
    }

    /// The gradients of all parameters and of the input.
    ///
    /// - Parameters:
    ///   - outputGradient: With the sums of the output's norm gathered.
    ///   - sink: Takes the gradient of the input; it masks by the first ReLU.
    public func backward(
        _ buffers: Buffers, _ gradients: Gradients, outputGradient: Tensor<Element>,
        sink: GradientSink<Element>, pass: Pass
    ) throws {
        try pointwise2.backward(
            buffers.output, gradient: outputGradient,
            sinks: [GradientSink(gradients.depthwise2)], pass: pass)
        let middle = buffers.pointwise1
        depthwise2.backward(
            gradients.depthwise2, input: middle.value.rectified,
            sink: GradientSink(
                gradients.middle, mask: middle.value.rectified, norms: [middle.normTarget]),
            pass: pass)
        try pointwise1.backward(
            middle, gradient: gradients.middle, sinks: [GradientSink(gradients.depthwise1)],
            pass: pass)
        depthwise1.backward(gradients.depthwise1, input: buffers.input, sink: sink, pass: pass)
    }
}
