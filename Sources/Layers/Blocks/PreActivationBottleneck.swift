import Tensors

/// A residual block of ResNet v2: norm and ReLU stand before each convolution, and the sum of main
/// path and shortcut stays as it is.
///
///     p = relu(norm1(x))     y = conv3(relu(norm3(conv2(relu(norm2(conv1(p)))))))
///     output = y + x, or y + conv(p) where a projection is
///
/// Source: He, Zhang, Ren, Sun, "Identity mappings in deep residual networks", ECCV 2016. The
/// stride is that of the 3×3 convolution.
public struct PreActivationBottleneck<Element: StorageElement>: Sendable {
    let preActivation: PreActivation<Element>
    let first: NormalizedConvolution<Element>
    let middle: NormalizedConvolution<Element>
    let last: PointwiseConvolution<Element>
    let projection: SpatialConvolution<Element>?
    /// The stride of the block, and so of its shortcut.
    private let shortcutStride: Int
    /// Channels of the output.
    public let outputChannels: Int

    /// What published implementations differ in.
    public enum Style: Sendable {
        /// No bias; a projection stands where stride or channels change.
        case plain
        /// The form of TensorFlow's slim library: conv3 and the projection have biases, kernels start
        /// as `Parameter.Initial.truncatedHe` says, and a projection stands only where channels
        /// change: a stride alone takes every stride-th pixel of x.
        case slim

        func initial(inputs: Int) -> Parameter.Initial {
            self == .slim ? .truncatedHe(inputs: inputs) : .kernel(inputs: inputs)
        }
    }

    /// Registers the parameters below `path`.
    ///
    /// - Parameter mapSize: The input's side, where it is known: convolutions then fit it.
    public init(
        _ path: String, inputChannels: Int, planes: Int, stride: Int, expansion: Int,
        mapSize: Int? = nil, style: Style = .plain, norms: BatchNormConfiguration,
        layout: inout ParameterLayout
    ) {
        outputChannels = planes * expansion
        preActivation = PreActivation(
            "\(path)/norm1", channels: inputChannels, configuration: norms, layout: &layout)
        // norm2 and norm3 follow the convolutions before the ones that read them.
        first = NormalizedConvolution(
            "\(path)/conv1", normPath: "\(path)/norm2", inputChannels: inputChannels,
            outputChannels: planes, initial: style.initial(inputs: inputChannels),
            configuration: norms, layout: &layout)
        middle = NormalizedConvolution(
            "\(path)/conv2", normPath: "\(path)/norm3", inputChannels: planes,
            outputChannels: planes,
            geometry: PatchGeometry(kernel: 3, stride: stride, offset: -1),
            mapSize: mapSize, initial: style.initial(inputs: 9 * planes), configuration: norms,
            layout: &layout)
        last = PointwiseConvolution(
            "\(path)/conv3", inputChannels: [planes], outputChannels: outputChannels,
            bias: style == .slim, beforeNorms: true, initial: style.initial(inputs: planes),
            layout: &layout)
        shortcutStride = stride
        let projects = inputChannels != outputChannels || (style == .plain && stride != 1)
        projection =
            projects
            ? SpatialConvolution(
                "\(path)/shortcut/conv", inputChannels: inputChannels,
                outputChannels: outputChannels, geometry: PatchGeometry(kernel: 1, stride: stride),
                biasBeforeNorms: style == .slim, initial: style.initial(inputs: inputChannels),
                layout: &layout) : nil
    }

    /// Where the block's values lie during a step.
    public struct Buffers: Sendable {
        /// The block's input with the norm before it.
        public let input: PreActivation<Element>.Buffers
        let first: NormalizedConvolution<Element>.Buffers
        let middle: NormalizedConvolution<Element>.Buffers
        let projected: Tensor<Element>?
        /// The sum of main path and shortcut, `[N, H, W, C]`.
        public let output: Tensor<Element>

        /// Gives back the projection, which is added to the output at once and which backward does
        /// not read: but only when the norm that follows has its place, since the same pass over
        /// memory reads the projection and writes that norm's moments.
        public func releaseProjection() { projected?.release() }
    }

    /// Reserves the block's values.
    ///
    /// - Parameters:
    ///   - previous: The block that writes the input.
    ///   - keepsInput: Whether the input stays where nothing else does: a shortcut reads it in the
    ///     pass over memory that writes the moments of the norm that follows.
    public func plan(
        input: Tensor<Element>, after previous: Buffers?, keepsInput: Bool = false,
        in workspace: Workspace
    ) -> Buffers {
        let input = preActivation.plan(input: input, in: workspace)
        previous?.releaseProjection()
        let first = first.plan(input: input.output, in: workspace)
        let middle = middle.plan(input: first.output, in: workspace)
        if !workspace.keepsActivations { first.output.raw.release() }
        let inner = middle.output.shape
        let shape = Shape(inner.images, inner.height, inner.width, outputChannels)
        let output = Tensor<Element>(shape, in: workspace.arena)
        last.plan(in: workspace)
        let projected = projection.map { projection in
            projection.plan(input: input.input.shape, in: workspace)
            return Tensor<Element>(shape, in: workspace.arena)
        }
        if !workspace.keepsActivations {
            middle.output.raw.release()
            if !keepsInput { input.input.release() }
        }
        return Buffers(
            input: input, first: first, middle: middle, projected: projected, output: output)
    }

    /// Fills the output.
    ///
    /// - Parameter moments: The norm of the block that follows, whose moments are gathered where it
    ///   is normalised by the batch's.
    public func forward(
        _ buffers: Buffers, momentsOf moments: NormBuffers?, mode: NormMode, pass: Pass
    ) throws {
        try preActivation.forward(buffers.input, mode: mode, pass: pass)
        try first.forward(buffers.first, mode: mode, pass: pass)
        try middle.forward(buffers.middle, mode: mode, pass: pass)
        last.forward([buffers.middle.output], into: buffers.output, pass: pass)
        guard let projection, let projected = buffers.projected else {
            return buffers.output.add(
                buffers.input.input, stride: shortcutStride, momentsOf: moments, pass: pass)
        }
        projection.forward(buffers.input.output, into: projected, pass: pass)
        buffers.output.add(projected, momentsOf: moments, pass: pass)
    }

    /// Where the block's gradients lie during a backward pass.
    public struct Gradients: Sendable {
        /// The gradient of the output; the block's readers write it.
        let output: Tensor<Element>
        let middle: Tensor<Element>
        let first: Tensor<Element>
        /// The gradient of the input through the projection, one row per output location.
        let projection: Tensor<Element>?
        /// The gradient of the input.
        public let input: Tensor<Element>
    }

    /// Reserves gradients of a block that a step uses once.
    public func planBackward(
        _ buffers: Buffers, outputGradient: Tensor<Element>, in workspace: Workspace
    ) -> Gradients {
        planBackward([(buffers, outputGradient)], in: workspace)[0]
    }

    /// Reserves the gradients of all uses in the order of the backward pass, layer by layer, and
    /// gives back what it used up.
    public func planBackward(
        _ uses: [(buffers: Buffers, outputGradient: Tensor<Element>)], in workspace: Workspace
    ) -> [Gradients] {
        let arena = workspace.arena
        let buffers = uses.map(\.buffers)
        buffers.forEach { $0.output.release() }
        let middle = buffers.map { Tensor<Element>($0.middle.output.shape, in: arena) }
        let first = buffers.map { Tensor<Element>($0.first.output.shape, in: arena) }
        middle.forEach { $0.release() }
        buffers.forEach { $0.middle.output.raw.release() }
        let projections = buffers.map { buffers in
            projection.map { projection in
                let input = buffers.input.input.shape
                let output = projection.outputShape(input)
                return Tensor<Element>(
                    Shape(input.images, output.height, output.width, input.channels), in: arena)
            }
        }
        let inputs = buffers.map { Tensor<Element>($0.input.input.shape, in: arena) }
        first.forEach { $0.release() }
        buffers.forEach { $0.first.output.raw.release() }
        projections.forEach { $0?.release() }
        uses.forEach { $0.outputGradient.release() }
        return uses.indices.map {
            Gradients(
                output: uses[$0].outputGradient, middle: middle[$0], first: first[$0],
                projection: projections[$0], input: inputs[$0])
        }
    }

    /// The gradients of all parameters and of the input, from `gradients.output`, of a block that
    /// was used once.
    public func backward(_ buffers: Buffers, _ gradients: Gradients, pass: Pass) throws {
        try backward([(buffers, gradients)], pass: pass)
    }

    /// The gradients of all parameters, summed over all uses, and of each use's input.
    ///
    /// - Parameter wantsInputs: Whether a gradient of the inputs is wanted.
    public func backward(
        _ uses: [(buffers: Buffers, gradients: Gradients)], wantsInputs: Bool = true, pass: Pass
    ) throws {
        // output = conv3(…) + shortcut: both have the output's gradient.
        last.backward(
            uses.map { buffers, gradients in
                PointwiseConvolution.Use(
                    GradientSource(stored: gradients.output), inputs: [buffers.middle.output],
                    sinks: [
                        GradientSink(
                            gradients.middle, mask: buffers.middle.output,
                            norms: [buffers.middle.normTarget])
                    ])
            }, pass: pass)
        // middle = relu(norm3(conv2(first)))
        try middle.backward(
            uses.map { buffers, gradients in
                NormalizedConvolution.Use(
                    buffers.middle, outputGradient: gradients.middle,
                    sink: GradientSink(
                        gradients.first, mask: buffers.first.output,
                        norms: [buffers.first.normTarget]))
            }, pass: pass)
        projection?.backward(
            uses.map { buffers, gradients in
                SpatialConvolution.Use(
                    GradientSource(stored: gradients.output), input: buffers.input.output,
                    inputGradient: gradients.projection.map { .locations($0) } ?? .none)
            }, pass: pass)
        // p = relu(norm1(x)) is read by conv1 and the projection, x itself by an identity.
        try first.backward(
            uses.map { buffers, gradients in
                NormalizedConvolution.Use(
                    buffers.first, outputGradient: gradients.first,
                    sink: GradientSink(
                        gradients.input,
                        adding: gradients.projection.map {
                            GradientSink.Added($0, stride: shortcutStride)
                        }, mask: buffers.input.output, norms: [buffers.input.normTarget]))
            }, pass: pass)
        try preActivation.backward(
            uses.map { buffers, gradients in
                PreActivation.Use(
                    buffers.input, gradient: gradients.input,
                    adding: projection == nil
                        ? GradientSink.Added(gradients.output, stride: shortcutStride) : nil)
            }, wantsValues: wantsInputs, pass: pass)
    }
}
