import Tensors

/// ResNet v2 without its logits: 7×7 convolution of stride 2 → 3×3 max pooling of stride 2 → groups
/// of pre-activation bottlenecks → norm, ReLU → mean over all locations.
public struct PreActivationTrunk<Element: StorageElement>: Sendable {
    private let stem: SpatialConvolution<Element>
    private let pooling: MaxPooling<Element>
    private let blocks: [PreActivationBottleneck<Element>]
    private let norm: PreActivation<Element>
    /// Channels of the features.
    public let outputChannels: Int

    /// The dimensions.
    public struct Sizes: Sendable {
        let inputChannels: Int
        let stemChannels: Int
        let planes: [Int]
        let blocks: [Int]
        let strides: [Int]
        let expansion: Int

        /// Names the input's and the stem's channels and, for each group, the inner channels of its
        /// bottlenecks, their number and the stride of one of them.
        public init(
            inputChannels: Int, stemChannels: Int, planes: [Int], blocks: [Int], strides: [Int],
            expansion: Int
        ) {
            (self.inputChannels, self.stemChannels) = (inputChannels, stemChannels)
            (self.planes, self.blocks, self.strides) = (planes, blocks, strides)
            self.expansion = expansion
        }
    }

    /// Registers the parameters below `path`.
    ///
    /// - Parameter style: As in the blocks. With `.plain` the stride stands in a group's first
    ///   block and the stem has no bias, with `.slim` it stands in the last one.
    public init(
        _ path: String, sizes: Sizes, style: PreActivationBottleneck<Element>.Style,
        norms: BatchNormConfiguration, layout: inout ParameterLayout
    ) {
        let geometry = PatchGeometry(kernel: 7, stride: 2, offset: -3)
        stem = SpatialConvolution(
            "\(path)/stem/conv", inputChannels: sizes.inputChannels,
            outputChannels: sizes.stemChannels, geometry: geometry,
            biasBeforeNorms: style == .slim,
            initial: style.initial(inputs: 49 * sizes.inputChannels), layout: &layout)
        pooling = MaxPooling(PatchGeometry(kernel: 3, stride: 2, offset: -1))
        var channels = sizes.stemChannels
        var blocks: [PreActivationBottleneck<Element>] = []
        for group in sizes.planes.indices {
            let strided = style == .slim ? sizes.blocks[group] - 1 : 0
            for block in 0..<sizes.blocks[group] {
                let bottleneck = PreActivationBottleneck<Element>(
                    "\(path)/group\(group)/block\(block)", inputChannels: channels,
                    planes: sizes.planes[group],
                    stride: block == strided ? sizes.strides[group] : 1,
                    expansion: sizes.expansion, style: style, norms: norms, layout: &layout)
                channels = bottleneck.outputChannels
                blocks.append(bottleneck)
            }
        }
        self.blocks = blocks
        norm = PreActivation(
            "\(path)/norm", channels: channels, configuration: norms, layout: &layout)
        outputChannels = channels
    }

    /// Where the network's values lie during a step.
    public struct Buffers: Sendable {
        let images: Tensor<Element>
        let stem: Tensor<Element>
        let blocks: [PreActivationBottleneck<Element>.Buffers]
        let features: PreActivation<Element>.Buffers
        /// The mean of the features, `[N, 1, 1, C]`.
        public let output: Tensor<Element>
    }

    /// Reserves the values for `images`, `[N, H, W, inputChannels]`.
    public func plan(images: Tensor<Element>, in workspace: Workspace) -> Buffers {
        let arena = workspace.arena
        stem.plan(input: images.shape, in: workspace)
        let stem = Tensor<Element>(self.stem.outputShape(images.shape), in: arena)
        pooling.plan(input: stem.shape, in: workspace)
        var input = Tensor<Element>(pooling.outputShape(stem.shape), in: arena)
        if !workspace.keepsActivations { stem.release() }
        var blocks: [PreActivationBottleneck<Element>.Buffers] = []
        for block in self.blocks {
            let buffers = block.plan(input: input, after: blocks.last, in: workspace)
            input = buffers.output
            blocks.append(buffers)
        }
        let features = norm.plan(input: input, in: workspace)
        blocks.last?.releaseProjection()
        AveragePooling.plan(channels: outputChannels, in: workspace)
        let output = Tensor<Element>(Shape(images.shape.images, 1, 1, outputChannels), in: arena)
        return Buffers(
            images: images, stem: stem, blocks: blocks, features: features, output: output)
    }

    /// Fills the output.
    public func forward(_ buffers: Buffers, mode: NormMode, pass: Pass) throws {
        stem.forward(Activation(final: buffers.images), into: buffers.stem, pass: pass)
        // Each norm's moments are gathered by who writes the value that it normalises.
        let norms = buffers.blocks.map(\.input.norm) + [buffers.features.norm]
        let pooled = buffers.blocks.first?.input.input ?? buffers.features.input
        pooling.forward(
            buffers.stem, into: pooled, momentsOf: mode == .training ? norms[0] : nil, pass: pass)
        for (index, block) in blocks.enumerated() {
            try block.forward(
                buffers.blocks[index], momentsOf: norms[index + 1], mode: mode, pass: pass)
        }
        try norm.forward(buffers.features, mode: mode, pass: pass)
        AveragePooling.forward(buffers.features.output, into: buffers.output, pass: pass)
    }

    /// Where the network's gradients lie during a backward pass.
    public struct Gradients: Sendable {
        /// Of the output; its reader writes it.
        public let output: Tensor<Element>
        let features: Tensor<Element>
        let blocks: [PreActivationBottleneck<Element>.Gradients]
        let stem: Tensor<Element>
    }

    /// Reserves the gradients of all uses, layer by layer, and gives back what they used up.
    public func planBackward(
        _ uses: [(buffers: Buffers, output: Tensor<Element>)], in workspace: Workspace
    ) -> [Gradients] {
        let arena = workspace.arena
        let features = uses.map { Tensor<Element>($0.buffers.features.input.shape, in: arena) }
        var gradients = features
        var blockGradients: [[PreActivationBottleneck<Element>.Gradients]] = []
        for (index, block) in blocks.enumerated().reversed() {
            let parts = block.planBackward(
                zip(uses, gradients).map { ($0.buffers.blocks[index], $1) }, in: workspace)
            gradients = parts.map(\.input)
            blockGradients.append(parts)
        }
        return uses.indices.map { use in
            Gradients(
                output: uses[use].output, features: features[use],
                blocks: blockGradients.reversed().map { $0[use] },
                stem: Tensor(uses[use].buffers.stem.shape, in: arena))
        }
    }

    /// The gradients of all parameters, summed over all uses, from each use's `gradients.output`.
    public func backward(_ uses: [(buffers: Buffers, gradients: Gradients)], pass: Pass) throws {
        for (buffers, gradients) in uses {
            AveragePooling.backward(
                gradients.output, locations: buffers.features.input.shape.locations,
                sink: GradientSink(
                    gradients.features, mask: buffers.features.output,
                    norms: [buffers.features.normTarget]),
                pass: pass)
        }
        try norm.backward(
            uses.map { .init($0.buffers.features, gradient: $0.gradients.features, adding: nil) },
            pass: pass)
        for index in blocks.indices.reversed() {
            try blocks[index].backward(
                uses.map { ($0.buffers.blocks[index], $0.gradients.blocks[index]) }, pass: pass)
        }
        for (buffers, gradients) in uses {
            pooling.backward(
                gradients.blocks.first?.input ?? gradients.features, input: buffers.stem,
                into: gradients.stem, pass: pass)
        }
        stem.backward(
            uses.map {
                .init(
                    GradientSource(stored: $0.gradients.stem),
                    input: Activation(final: $0.buffers.images), inputGradient: .none)
            }, pass: pass)
    }
}
