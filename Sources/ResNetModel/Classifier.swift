import Layers
import Tensors

/// The network that classifies occluded images (paper §4.2): ResNet-v2-50, trained apart from the
/// Saccader and sharing nothing with it. The dimensions are settings.
///
/// 7×7 convolution of stride 2 → 3×3 max pooling of stride 2 → pre-activation bottlenecks → norm,
/// ReLU → mean over all locations → logits. All convolutions but the logits are without bias.
public struct Classifier<Element: StorageElement>: Sendable {
    /// All parameters and statistics, in the order of the forward pass, below `classifier/`.
    public let layout: ParameterLayout
    /// The settings it was made from.
    public let configuration: ClassifierSettings
    let classes: Int
    private let stem: SpatialConvolution<Element>
    private let pooling: MaxPooling<Element>
    private let blocks: [PreActivationBottleneck<Element>]
    private let norm: PreActivation<Element>
    private let logits: PointwiseConvolution<Element>

    /// Makes the layers; `configuration.problem` must be nil.
    public init(_ configuration: ClassifierSettings) {
        let (sizes, norms) = (configuration.classifier, configuration.batchNorm)
        var layout = ParameterLayout(.classifier)
        stem = SpatialConvolution(
            "classifier/stem/conv", inputChannels: 3, outputChannels: sizes.stemChannels,
            geometry: PatchGeometry(kernel: 7, stride: 2, offset: -3), layout: &layout)
        pooling = MaxPooling(PatchGeometry(kernel: 3, stride: 2, offset: -1))
        var channels = sizes.stemChannels
        var blocks: [PreActivationBottleneck<Element>] = []
        for group in sizes.planes.indices {
            for block in 0..<sizes.blocks[group] {
                let bottleneck = PreActivationBottleneck<Element>(
                    "classifier/group\(group)/block\(block)", inputChannels: channels,
                    planes: sizes.planes[group], stride: block == 0 ? sizes.strides[group] : 1,
                    expansion: sizes.expansion, norms: norms, layout: &layout)
                channels = bottleneck.outputChannels
                blocks.append(bottleneck)
            }
        }
        self.blocks = blocks
        norm = PreActivation(
            "classifier/norm", channels: channels, configuration: norms, layout: &layout)
        logits = PointwiseConvolution(
            "classifier/logits", inputChannels: [channels], outputChannels: configuration.classes,
            bias: true, layout: &layout)
        classes = configuration.classes
        self.configuration = configuration
        self.layout = layout
    }

    /// Where the network's values lie during a step.
    struct Buffers: Sendable {
        let images: Tensor<Element>
        let stem: Tensor<Element>
        let blocks: [PreActivationBottleneck<Element>.Buffers]
        let features: PreActivation<Element>.Buffers
        /// The mean of the features, `[N, 1, 1, C]`.
        let mean: Tensor<Element>
        /// `[N, 1, 1, c]`.
        let logits: Tensor<Element>
    }

    func plan(imageSize: Int, in workspace: Workspace) -> Buffers {
        let arena = workspace.arena
        let images = Tensor<Element>(
            Shape(workspace.imageCapacity, imageSize, imageSize, 3), in: arena)
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
        let channels = input.shape.channels
        AveragePooling.plan(channels: channels, in: workspace)
        let mean = Tensor<Element>(Shape(images.shape.images, 1, 1, channels), in: arena)
        self.logits.plan(in: workspace)
        let logits = Tensor<Element>(Shape(images.shape.images, 1, 1, classes), in: arena)
        return Buffers(
            images: images, stem: stem, blocks: blocks, features: features, mean: mean,
            logits: logits)
    }

    func forward(_ buffers: Buffers, mode: NormMode, pass: Pass) throws {
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
        AveragePooling.forward(buffers.features.output, into: buffers.mean, pass: pass)
        logits.forward([Activation(final: buffers.mean)], into: buffers.logits, pass: pass)
    }

    /// Where the network's gradients lie during a backward pass.
    struct Gradients: Sendable {
        /// Of the logits; the objective writes it.
        let logits: Tensor<Element>
        let mean: Tensor<Element>
        let features: Tensor<Element>
        let blocks: [PreActivationBottleneck<Element>.Gradients]
        let stem: Tensor<Element>
    }

    func planBackward(_ buffers: Buffers, in workspace: Workspace) -> Gradients {
        let arena = workspace.arena
        let logits = Tensor<Element>(buffers.logits.shape, in: arena)
        let mean = Tensor<Element>(buffers.mean.shape, in: arena)
        let features = Tensor<Element>(buffers.features.input.shape, in: arena)
        var gradient = features
        var blockGradients: [PreActivationBottleneck<Element>.Gradients] = []
        for (block, blockBuffers) in zip(blocks, buffers.blocks).reversed() {
            let gradients = block.planBackward(
                blockBuffers, outputGradient: gradient, in: workspace)
            gradient = gradients.input
            blockGradients.append(gradients)
        }
        return Gradients(
            logits: logits, mean: mean, features: features, blocks: blockGradients.reversed(),
            stem: Tensor(buffers.stem.shape, in: arena))
    }

    /// The gradients of all parameters, from `gradients.logits`.
    func backward(_ buffers: Buffers, _ gradients: Gradients, pass: Pass) throws {
        // logits = mean·kernel + bias
        logits.backward(
            GradientSource(stored: gradients.logits),
            inputs: [Activation(final: buffers.mean)], sinks: [GradientSink(gradients.mean)],
            pass: pass)
        AveragePooling.backward(
            gradients.mean, locations: buffers.features.input.shape.locations,
            sink: GradientSink(
                gradients.features, mask: buffers.features.output,
                norms: [buffers.features.normTarget]),
            pass: pass)
        try norm.backward(
            buffers.features, gradient: gradients.features, adding: nil, pass: pass)
        for index in blocks.indices.reversed() {
            try blocks[index].backward(
                buffers.blocks[index], gradients.blocks[index], pass: pass)
        }
        pooling.backward(
            gradients.blocks.first?.input ?? gradients.features, input: buffers.stem,
            into: gradients.stem, pass: pass)
        stem.backward(
            GradientSource(stored: gradients.stem), input: Activation(final: buffers.images),
            inputGradient: .none, pass: pass)
    }
}
