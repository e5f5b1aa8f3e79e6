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
        let imageSize: Int?
        let inputChannels: Int
        let stemChannels: Int
        let planes: [Int]
        let blocks: [Int]
        let strides: [Int]
        let expansion: Int

        /// Names the input's side where convolutions are to fit it, its and the stem's channels and, for each group, the inner channels of its
        /// bottlenecks, their number and the stride of one of them.
        public init(
            imageSize: Int? = nil, inputChannels: Int, stemChannels: Int, planes: [Int],
            blocks: [Int], strides: [Int], expansion: Int
        ) {
            self.imageSize = imageSize
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
        let window = PatchGeometry(kernel: 3, stride: 2, offset: -1)
        pooling = MaxPooling(window)
        var channels = sizes.stemChannels
        var mapSize = sizes.imageSize.map {
            window.outputSize(geometry.outputSize($0))
        }
        var blocks: [PreActivationBottleneck<Element>] = []
        for group in sizes.planes.indices {
            let strided = style == .slim ? sizes.blocks[group] - 1 : 0
            for block in 0..<sizes.blocks[group] {
                let bottleneck = PreActivationBottleneck<Element>(
                    "\(path)/group\(group)/block\(block)", inputChannels: channels,
                    planes: sizes.planes[group],
                    stride: block == strided ? sizes.strides[group] : 1,
                    expansion: sizes.expansion, mapSize: mapSize, style: style, norms: norms,
                    layout: &layout)
                channels = bottleneck.outputChannels
                if block == strided {
                    let stride = sizes.strides[group]
                    mapSize = mapSize.map { ($0 + stride - 1) / stride }
                }
                blocks.append(bottleneck)
            }
        }
        self.blocks = blocks
        norm = PreActivation(
            "\(path)/norm", channels: channels, configuration: norms, layout: &layout)
        outputChannels = channels
    }

    /// The parts of such a network, as checkpoints name them, in the order of the forward pass.
    ///
    /// - Parameter blocks: Of each group.
    public static func parts(_ path: String, blocks: [Int]) -> [String] {
        ["\(path)/stem"]
            + blocks.indices.flatMap { group in
                (0..<blocks[group]).map { "\(path)/group\(group)/block\($0)" }
            } + ["\(path)/norm"]
    }

    /// How many parts there are: the stem, the blocks and the last norm.
    public var partCount: Int { blocks.count + 2 }

    /// Where the network's values lie during a step.
    public struct Buffers: Sendable {
        /// The parts that are not trained, from the first on.
        public let frozenCount: Int
        /// What it sees, `[N, H, W, inputChannels]`.
        public let images: Tensor<Element>
        let stem: Tensor<Element>
        let blocks: [PreActivationBottleneck<Element>.Buffers]
        /// What the mean is taken of, with the last norm.
        public let features: PreActivation<Element>.Buffers
        /// The mean of the features, `[N, 1, 1, C]`.
        public let output: Tensor<Element>
    }

    /// Reserves the values for `images`, `[N, H, W, inputChannels]`.
    ///
    /// - Parameter frozenCount: How many parts are not trained, from the first on: they are
    ///   normalised by their running statistics, and nothing of them is kept for backward.
    public func plan(
        images: Tensor<Element>, frozenCount: Int = 0, in workspace: Workspace
    ) -> Buffers {
        let arena = workspace.arena
        let (stem, pooled) = workspace.planning(frozen: frozenCount > 0, folding: false) {
            self.stem.plan(input: images.shape, in: workspace)
            let stem = Tensor<Element>(self.stem.outputShape(images.shape), in: arena)
            pooling.plan(input: stem.shape, in: workspace)
            let pooled = Tensor<Element>(pooling.outputShape(stem.shape), in: arena)
            return (stem, pooled)
        }
        // Whoever writes a norm's moments goes on reading, so what the last frozen part reads stays
        // until that norm has its place.
        var lastRead: Tensor<Element>? = frozenCount == 1 ? stem : nil
        if frozenCount > 1 || !workspace.keepsActivations { stem.release() }
        var input = pooled
        var blocks: [PreActivationBottleneck<Element>.Buffers] = []
        for (index, block) in self.blocks.enumerated() {
            let isLastFrozen = index + 2 == frozenCount
            let buffers = workspace.planning(frozen: index + 1 < frozenCount, folding: false) {
                block.plan(
                    input: input, after: blocks.last, keepsInput: isLastFrozen, in: workspace)
            }
            lastRead?.release()
            lastRead = isLastFrozen ? input : nil
            input = buffers.output
            blocks.append(buffers)
        }
        let features = norm.plan(input: input, in: workspace)
        lastRead?.release()
        blocks.last?.releaseProjection()
        AveragePooling.plan(channels: outputChannels, in: workspace)
        let output = Tensor<Element>(Shape(images.shape.images, 1, 1, outputChannels), in: arena)
        return Buffers(
            frozenCount: frozenCount, images: images, stem: stem, blocks: blocks,
            features: features, output: output)
    }

    /// Fills the output.
    public func forward(_ buffers: Buffers, mode: NormMode, pass: Pass) throws {
        stem.forward(Activation(final: buffers.images), into: buffers.stem, pass: pass)
        // Each norm's moments are gathered by who writes the value that it normalises.
        let norms = buffers.blocks.map(\.input.norm) + [buffers.features.norm]
        func normMode(of part: Int) -> NormMode { part < buffers.frozenCount ? .inference : mode }
        func moments(of part: Int) -> NormBuffers? {
            normMode(of: part) == .training ? norms[part - 1] : nil
        }
        let pooled = buffers.blocks.first?.input.input ?? buffers.features.input
        pooling.forward(
            Activation(final: buffers.stem), into: pooled, momentsOf: moments(of: 1), pass: pass)
        for (index, block) in blocks.enumerated() {
            try block.forward(
                buffers.blocks[index], momentsOf: moments(of: index + 2),
                mode: normMode(of: index + 1), pass: pass)
        }
        try norm.forward(buffers.features, mode: normMode(of: blocks.count + 1), pass: pass)
        AveragePooling.forward(buffers.features.output, into: buffers.output, pass: pass)
    }

    /// Where the network's gradients lie during a backward pass.
    public struct Gradients: Sendable {
        /// The gradient of the output; its reader writes it.
        public let output: Tensor<Element>
        let features: Tensor<Element>
        /// The gradients of the blocks that are trained.
        let blocks: [PreActivationBottleneck<Element>.Gradients]
        /// What the network saw, filled again for the stem's backward pass; nil where the stem is
        /// frozen, as the next.
        let images: Tensor<Element>?
        let stem: Tensor<Element>?
    }

    /// Reserves the gradients of all uses, layer by layer, and gives back what they used up.
    ///
    /// The images need not have lasted until the backward pass, which asks for them again: so they
    /// take no memory while there is least of it. At least the last part is trained.
    public func planBackward(
        _ uses: [(buffers: Buffers, output: Tensor<Element>)], in workspace: Workspace
    ) -> [Gradients] {
        let arena = workspace.arena
        let frozenCount = uses.first?.buffers.frozenCount ?? 0
        precondition(frozenCount < partCount, "what is frozen has no gradients")
        let features = uses.map { Tensor<Element>($0.buffers.features.input.shape, in: arena) }
        var gradients = features
        var blockGradients: [[PreActivationBottleneck<Element>.Gradients]] = []
        for (index, block) in blocks.enumerated().reversed() where index + 1 >= frozenCount {
            let parts = block.planBackward(
                zip(uses, gradients).map { ($0.buffers.blocks[index], $1) }, in: workspace)
            gradients = parts.map(\.input)
            blockGradients.append(parts)
        }
        let trainsStem = frozenCount == 0
        return uses.indices.map { use in
            let buffers = uses[use].buffers
            return Gradients(
                output: uses[use].output, features: features[use],
                blocks: blockGradients.reversed().map { $0[use] },
                images: trainsStem ? Tensor(buffers.images.shape, in: arena) : nil,
                stem: trainsStem ? Tensor(buffers.stem.shape, in: arena) : nil)
        }
    }

    /// The gradients of all parameters, summed over all uses, from each use's `gradients.output`.
    ///
    /// - Parameter refill: Writes the images of a use, `[N, H, W, inputChannels]`, once more.
    public func backward(
        _ uses: [(buffers: Buffers, gradients: Gradients)], pass: Pass,
        refill: (_ use: Int, Tensor<Element>) -> Void
    ) throws {
        for (buffers, gradients) in uses {
            AveragePooling.backward(
                gradients.output, locations: buffers.features.input.shape.locations,
                sink: GradientSink(
                    gradients.features, mask: buffers.features.output,
                    norms: [buffers.features.normTarget]),
                pass: pass)
        }
        let frozenCount = uses.first?.buffers.frozenCount ?? 0
        try norm.backward(
            uses.map { .init($0.buffers.features, gradient: $0.gradients.features, adding: nil) },
            wantsValues: frozenCount <= blocks.count, pass: pass)
        let first = max(0, frozenCount - 1)
        for index in blocks.indices.dropFirst(first).reversed() {
            try blocks[index].backward(
                uses.map { ($0.buffers.blocks[index], $0.gradients.blocks[index - first]) },
                wantsInputs: index >= frozenCount, pass: pass)
        }
        var stems: [SpatialConvolution<Element>.Use] = []
        for (index, use) in uses.enumerated() {
            guard let gradient = use.gradients.stem, let images = use.gradients.images else {
                continue
            }
            pooling.backward(
                use.gradients.blocks.first?.input ?? use.gradients.features,
                input: Activation(final: use.buffers.stem), sink: GradientSink(gradient), pass: pass
            )
            refill(index, images)
            stems.append(
                .init(
                    GradientSource(stored: gradient), input: Activation(final: images),
                    inputGradient: .none))
        }
        if !stems.isEmpty { stem.backward(stems, pass: pass) }
    }
}
