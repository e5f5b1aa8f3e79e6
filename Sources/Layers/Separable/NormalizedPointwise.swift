import Tensors

/// 1×1 convolution → batch norm, without ReLU: its readers decide on that.
///
/// Several inputs are taken as if concatenated along their channels.
public struct NormalizedPointwise<Element: StorageElement>: Sendable {
    let convolution: PointwiseConvolution<Element>
    let norm: BatchNorm

    /// Where the values lie during a step.
    public struct Buffers: Sendable {
        let inputs: [Activation<Element>]
        /// The convolution's output, `[N, H, W, C]`.
        public let raw: Tensor<Element>
        let norm: NormBuffers

        /// The normalised value.
        public var value: Activation<Element> {
            Activation(raw: raw, norm: norm, rectified: false)
        }

        /// The norm that a gradient of the value passes next.
        public var normTarget: GradientSink<Element>.NormTarget {
            GradientSink.NormTarget(raw: raw, norm: norm)
        }
    }

    /// Registers the kernel below `path` and the norm at `normPath`.
    ///
    /// - Parameter inputs: Channels of each input.
    public init(
        _ path: String, normPath: String, inputs: [Int], outputs: Int,
        norms: BatchNormConfiguration, layout: inout ParameterLayout
    ) {
        convolution = PointwiseConvolution(
            path, inputChannels: inputs, outputChannels: outputs,
            initial: .truncatedHe(inputs: outputs), layout: &layout)
        norm = BatchNorm(normPath, channels: outputs, configuration: norms, layout: &layout)
    }

    /// Reserves the output for inputs of equal height and width.
    public func plan(inputs: [Activation<Element>], in workspace: Workspace) -> Buffers {
        let shape = inputs[0].shape
        convolution.plan(in: workspace)
        return Buffers(
            inputs: inputs,
            raw: Tensor(
                Shape(shape.images, shape.height, shape.width, convolution.outputChannels),
                in: workspace.arena),
            norm: NormBuffers(channels: convolution.outputChannels, in: workspace))
    }

    /// Fills the output.
    public func forward(_ buffers: Buffers, mode: NormMode, pass: Pass) throws {
        convolution.forward(
            buffers.inputs, into: buffers.raw, momentsOf: mode == .training ? buffers.norm : nil,
            pass: pass)
        try norm.finishForward(
            buffers.norm, locations: buffers.raw.shape.locations, mode: mode, pass: pass)
    }

    /// The gradients of kernel, gamma, beta and of each input.
    ///
    /// - Parameters:
    ///   - gradient: Of the value, with the norm's sums already gathered.
    ///   - sinks: Where each input's gradient goes.
    public func backward(
        _ buffers: Buffers, gradient: Tensor<Element>, sinks: [GradientSink<Element>?],
        pass: Pass
    ) throws {
        try norm.finishBackward(
            buffers.norm, locations: buffers.raw.shape.locations, mode: .training, pass: pass)
        convolution.backward(
            GradientSource(gradient, through: buffers.norm, of: buffers.raw),
            inputs: buffers.inputs, sinks: sinks, pass: pass)
    }
}
