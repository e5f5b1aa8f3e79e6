import Tensors

/// Convolution → batch norm → ReLU: the unit of which the networks are made.
public struct NormalizedConvolution<Element: StorageElement>: Sendable {
    let convolution: Convolution<Element>
    let norm: BatchNorm

    /// Where the unit's values lie during a step.
    public struct Buffers: Sendable {
        /// What the convolution reads.
        public let input: Activation<Element>
        /// The unit's output: raw, with norm and ReLU deferred; or final where they are folded.
        public let output: Activation<Element>
        let norm: NormBuffers
        var folded: FoldedKernel<Element>?

        /// The norm that a gradient of the output passes next.
        public var normTarget: GradientSink<Element>.NormTarget {
            GradientSink.NormTarget(raw: output.raw, norm: norm)
        }

        /// The same unit with its input or its raw output elsewhere in memory.
        public func moved(
            input: Activation<Element>? = nil, raw: Tensor<Element>? = nil
        ) -> Buffers {
            Buffers(
                input: input ?? self.input,
                output: Activation(raw: raw ?? output.raw, norm: norm), norm: norm)
        }
    }

    /// Registers the kernel at `convolutionPath` and the norm at `normPath`.
    public init(
        _ convolutionPath: String, normPath: String, inputChannels: Int, outputChannels: Int,
        geometry: PatchGeometry = PatchGeometry(kernel: 1), mapSize: Int? = nil,
        initial: Parameter.Initial? = nil, configuration: BatchNormConfiguration,
        layout: inout ParameterLayout
    ) {
        convolution = Convolution(
            convolutionPath, inputChannels: inputChannels, outputChannels: outputChannels,
            geometry: geometry, mapSize: mapSize, initial: initial, layout: &layout)
        norm = BatchNorm(
            normPath, channels: outputChannels, configuration: configuration, layout: &layout)
    }

    /// Reserves the output.
    public func plan(input: Activation<Element>, in workspace: Workspace) -> Buffers {
        let shape = convolution.outputShape(input.shape)
        let raw = Tensor<Element>(shape, in: workspace.arena)
        let norm = NormBuffers(channels: shape.channels, in: workspace)
        convolution.plan(input: input.shape, in: workspace)
        if workspace.foldsNorms {
            return Buffers(
                input: input, output: Activation(final: raw), norm: norm,
                folded: convolution.planFolded(in: workspace))
        }
        return Buffers(
            input: input, output: Activation(raw: raw, norm: norm), norm: norm)
    }

    /// Reads kernel and norm of a model that is not trained, where the workspace folds norms.
    public func fold(_ buffers: Buffers, pass: Pass) throws {
        guard let folded = buffers.folded else { return }
        try norm.finishForward(
            buffers.norm, locations: buffers.output.shape.locations, mode: .inference, pass: pass)
        convolution.fold(folded, norm: buffers.norm, store: pass.store)
    }

    /// Fills the output.
    public func forward(_ buffers: Buffers, mode: NormMode, pass: Pass) throws {
        if let folded = buffers.folded {
            return convolution.forward(
                buffers.input, folded: folded, into: buffers.output.raw, pass: pass)
        }
        convolution.forward(
            buffers.input, into: buffers.output.raw,
            momentsOf: mode == .training ? buffers.norm : nil, pass: pass)
        try norm.finishForward(
            buffers.norm, locations: buffers.output.shape.locations, mode: mode, pass: pass)
    }

    /// Fills the raw output again, after a `forward` of the same step.
    public func recompute(_ buffers: Buffers, pass: Pass) {
        convolution.forward(
            buffers.input, into: buffers.output.raw, momentsOf: nil, pass: pass)
    }

    /// One use of the unit in a step, as its backward pass sees it.
    public struct Use: Sendable {
        let buffers: Buffers
        let outputGradient: Tensor<Element>
        let sink: GradientSink<Element>?

        /// Names a use.
        ///
        /// - Parameters:
        ///   - outputGradient: Masked by the ReLU, with the norm's sums already gathered.
        ///   - sink: Where the input's gradient goes, if it is wanted.
        public init(
            _ buffers: Buffers, outputGradient: Tensor<Element>, sink: GradientSink<Element>?
        ) {
            (self.buffers, self.outputGradient, self.sink) = (buffers, outputGradient, sink)
        }
    }

    /// The gradients of kernel, gamma, beta and, where there is a sink, of the input, of a unit
    /// that was used once.
    public func backward(
        _ buffers: Buffers, outputGradient: Tensor<Element>, sink: GradientSink<Element>?,
        mode: NormMode = .training, pass: Pass
    ) throws {
        try backward(
            [Use(buffers, outputGradient: outputGradient, sink: sink)], mode: mode, pass: pass)
    }

    /// The gradients of kernel, gamma and beta, summed over all uses, and, where there is a sink,
    /// of each use's input.
    public func backward(_ uses: [Use], mode: NormMode = .training, pass: Pass) throws {
        guard let shape = uses.first?.outputGradient.shape else { return }
        try norm.finishBackward(
            uses.map(\.buffers.norm), locations: shape.locations, mode: mode, pass: pass)
        convolution.backward(
            uses.map {
                Convolution.Use(
                    GradientSource(
                        $0.outputGradient, through: $0.buffers.norm, of: $0.buffers.output.raw),
                    input: $0.buffers.input, sink: $0.sink)
            }, pass: pass)
    }
}
