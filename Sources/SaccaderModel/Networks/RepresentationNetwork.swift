import Layers
import Tensors

/// BagNet-77-lowD (method §1): features, "what" features and a logit of every class at each
/// location, all from a bounded part of the image.
struct RepresentationNetwork<Element: StorageElement>: Sendable {
    let stem: NormalizedConvolution<Element>
    let blocks: [Bottleneck<Element>]
    let lowD: NormalizedConvolution<Element>
    let logits: PointwiseConvolution<Element>

    init(_ configuration: ModelConfiguration, layout: inout ParameterLayout) {
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

    func plan(imageSize: Int, in workspace: Workspace) -> Buffers {
        let images = Tensor<Element>(
            Shape(workspace.imageCapacity, imageSize, imageSize, 3), in: workspace.arena)
        let stem = stem.plan(input: Activation(final: images), in: workspace)
        var input = stem.output
        let blocks = self.blocks.map { block in
            let buffers = block.plan(input: input, in: workspace)
            if !workspace.keepsActivations { input.raw.release() }
            input = Activation(final: buffers.output)
            return buffers
        }
        let lowD = lowD.plan(input: input, in: workspace)
        logits.plan(in: workspace)
        let shape = lowD.output.shape
        let logits = Tensor<Element>(
            Shape(shape.images, shape.height, shape.width, self.logits.outputChannels),
            in: workspace.arena)
        return Buffers(
            images: images, stem: stem, blocks: blocks, features: input, lowD: lowD,
            logits: logits)
    }

    func forward(_ buffers: Buffers, mode: NormMode, pass: Pass) throws {
        try stem.forward(buffers.stem, mode: mode, pass: pass)
        for (block, blockBuffers) in zip(blocks, buffers.blocks) {
            try block.forward(blockBuffers, mode: mode, pass: pass)
        }
        try lowD.forward(buffers.lowD, mode: mode, pass: pass)
        logits.forward([buffers.what], into: buffers.logits, pass: pass)
    }

    /// Where the network's gradients lie during a backward pass.
    struct Gradients: Sendable {
        /// Of `logits2d`; the objective writes it.
        let logits: Tensor<Element>
        let what: Tensor<Element>
        let features: Tensor<Element>
        let blocks: [Bottleneck<Element>.Gradients]
    }

    /// Reserves the gradients.
    ///
    /// - Parameter otherReaders: Gradients that the attention network and the mixing leave at the
    ///   features and the "what" features.
    func planBackward(_ buffers: Buffers, in workspace: Workspace) -> Gradients {
        let arena = workspace.arena
        let logits = Tensor<Element>(buffers.logits.shape, in: arena)
        let what = Tensor<Element>(buffers.what.shape, in: arena)
        let features = Tensor<Element>(buffers.features.shape, in: arena)
        var gradient = features
        var blockGradients: [Bottleneck<Element>.Gradients] = []
        for (block, blockBuffers) in zip(blocks, buffers.blocks).reversed() {
            let gradients = block.planBackward(
                blockBuffers, outputGradient: gradient, in: workspace)
            gradient = gradients.input
            blockGradients.append(gradients)
        }
        return Gradients(
            logits: logits, what: what, features: features, blocks: blockGradients.reversed())
    }

    /// The gradients of all parameters, from `gradients.logits` and those of other readers.
    ///
    /// - Parameters:
    ///   - images: Overwritten with the images' gradient, `[N, H, W, 3]`, where wanted.
    ///   - mode: As in forward; in inference mode the norms' parameters are left out.
    func backward(
        _ buffers: Buffers, _ gradients: Gradients,
        addingToWhat what: Tensor<Element>? = nil,
        addingToFeatures features: Tensor<Element>? = nil,
        images: Tensor<Element>? = nil, mode: NormMode = .training, pass: Pass
    ) throws {
        // logits = what·kernel + bias
        logits.backward(
            GradientSource(stored: gradients.logits), inputs: [buffers.what],
            sinks: [
                GradientSink(
                    gradients.what, adding: what.map { GradientSink.Added($0) },
                    mask: buffers.what, norms: [buffers.lowD.normTarget])
            ], pass: pass)
        // what = relu(norm(conv(features)))
        try lowD.backward(
            buffers.lowD, outputGradient: gradients.what,
            sink: GradientSink(
                gradients.features, adding: features.map { GradientSink.Added($0) },
                mask: buffers.features,
                norms: buffers.blocks.last?.normTargets ?? [buffers.stem.normTarget]),
            mode: mode, pass: pass)
        for index in blocks.indices.reversed() {
            let inputNorms =
                index > 0 ? buffers.blocks[index - 1].normTargets : [buffers.stem.normTarget]
            try blocks[index].backward(
                buffers.blocks[index], gradients.blocks[index], inputNorms: inputNorms,
                mode: mode, pass: pass)
        }
        let stemGradient = gradients.blocks.first?.input ?? gradients.features
        try stem.backward(
            buffers.stem, outputGradient: stemGradient, sink: images.map { GradientSink($0) },
            mode: mode, pass: pass)
    }
}
