import Layers
import Tensors

/// BagNet-77-lowD (Method: Networks): features, "what" features and a logit of every class at each
/// location, all from a bounded part of the image.
struct RepresentationNetwork<Element: StorageElement>: Sendable {
    let stem: NormalizedConvolution<Element>
    let blocks: [Bottleneck<Element>]
    let lowD: NormalizedConvolution<Element>
    let logits: PointwiseConvolution<Element>

    init(_ configuration: SaccaderSettings, layout: inout ParameterLayout) {
        let sizes = configuration.representation
        stem = NormalizedConvolution(
            "representation/stem/conv", normPath: "representation/stem/norm", inputChannels: 3,
            outputChannels: sizes.stemChannels, geometry: PatchGeometry(kernel: 3),
            configuration: configuration.batchNorm, layout: &layout)
        var channels = sizes.stemChannels
        var blocks: [Bottleneck<Element>] = []
        for group in sizes.planes.indices {
            for block in 0..<sizes.blocks[group] {
                let bottleneck = Bottleneck<Element>(
                    "representation/group\(group)/block\(block)", inputChannels: channels,
                    planes: sizes.planes[group], kernel: block < sizes.kernel3[group] ? 3 : 1,
                    stride: block == 0 ? sizes.strides[group] : 1,
                    configuration: configuration, layout: &layout)
                channels = bottleneck.outputChannels
                blocks.append(bottleneck)
            }
        }
        self.blocks = blocks
        lowD = NormalizedConvolution(
            "representation/lowd/conv", normPath: "representation/lowd/norm",
            inputChannels: channels, outputChannels: sizes.whatChannels,
            configuration: configuration.batchNorm, layout: &layout)
        logits = PointwiseConvolution(
            "representation/logits", inputChannels: [sizes.whatChannels],
            outputChannels: configuration.classes, bias: true, layout: &layout)
    }

    /// Where the network's values lie during a step.
    struct Buffers: Sendable {
        let images: Tensor<Element>
        let stem: NormalizedConvolution<Element>.Buffers
        let blocks: [Bottleneck<Element>.Buffers]
        let features: Activation<Element>
        let lowD: NormalizedConvolution<Element>.Buffers
        /// `logits2d`, `[N, h, w, c]`.
        let logits: Tensor<Element>

        /// The "what" features, `[N, h, w, what]`.
        var what: Activation<Element> { lowD.output }
    }

    func plan(
        imageSize: Int, frozen: FrozenParts = .none, in workspace: Workspace
    ) -> Buffers {
        let images = Tensor<Element>(
            Shape(workspace.imageCapacity, imageSize, imageSize, 3), in: workspace.arena)
        let stem = workspace.planning(frozen: frozen.stem) {
            self.stem.plan(input: Activation(final: images), in: workspace)
        }
        let kept = KeptValues(blocks, stem: stem.output.shape, frozen: frozen, in: workspace)
        var input = stem.output
        let blocks = self.blocks.indices.map { index in
            let buffers = workspace.planning(frozen: index < frozen.blocks) {
                self.blocks[index].plan(
                    input: input, keepsInner: kept.inner(of: index), in: workspace)
            }
            if !kept.input(of: index) { input.raw.release() }
            input = Activation(final: buffers.output)
            return buffers
        }
        let lowD = workspace.planning(frozen: frozen.lowD) {
            self.lowD.plan(input: input, in: workspace)
        }
        logits.plan(in: workspace)
        let shape = lowD.output.shape
        let logits = Tensor<Element>(
            Shape(shape.images, shape.height, shape.width, self.logits.outputChannels),
            in: workspace.arena)
        return Buffers(
            images: images, stem: stem, blocks: blocks, features: input, lowD: lowD,
            logits: logits)
    }

    /// Reads kernels and norms of a model that is not trained, where the workspace folds norms.
    func fold(_ buffers: Buffers, pass: Pass) throws {
        try stem.fold(buffers.stem, pass: pass)
        for (block, blockBuffers) in zip(blocks, buffers.blocks) {
            try block.fold(blockBuffers, pass: pass)
        }
        try lowD.fold(buffers.lowD, pass: pass)
    }

    func forward(_ buffers: Buffers, mode: NormMode, pass: Pass) throws {
        try stem.forward(buffers.stem, mode: mode, pass: pass)
        for (block, blockBuffers) in zip(blocks, buffers.blocks) {
            try block.forward(blockBuffers, mode: mode, pass: pass)
        }
        try lowD.forward(buffers.lowD, mode: mode, pass: pass)
        logits.forward([buffers.what], into: buffers.logits, pass: pass)
    }
}
