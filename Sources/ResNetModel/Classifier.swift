import Layers
import Models
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
    private let trunk: PreActivationTrunk<Element>
    private let logits: PointwiseConvolution<Element>

    /// Makes the layers; `configuration.problem` must be nil.
    public init(_ configuration: ClassifierSettings) {
        let sizes = configuration.classifier
        var layout = ParameterLayout(.classifier)
        trunk = PreActivationTrunk(
            "classifier",
            sizes: .init(
                inputChannels: 3, stemChannels: sizes.stemChannels, planes: sizes.planes,
                blocks: sizes.blocks, strides: sizes.strides, expansion: sizes.expansion),
            style: .plain, norms: configuration.batchNorm, layout: &layout)
        logits = PointwiseConvolution(
            "classifier/logits", inputChannels: [trunk.outputChannels],
            outputChannels: configuration.classes, bias: true, layout: &layout)
        classes = configuration.classes
        self.configuration = configuration
        self.layout = layout
    }

    /// Where the network's values lie during a step.
    struct Buffers: Sendable {
        let trunk: PreActivationTrunk<Element>.Buffers
        /// `[N, 1, 1, c]`.
        let logits: Tensor<Element>

        /// `[N, H, W, 3]`.
        var images: Tensor<Element> { trunk.images }
    }

    func plan(imageSize: Int, in workspace: Workspace) -> Buffers {
        let arena = workspace.arena
        let images = Tensor<Element>(
            Shape(workspace.imageCapacity, imageSize, imageSize, 3), in: arena)
        let trunk = trunk.plan(images: images, in: workspace)
        logits.plan(in: workspace)
        return Buffers(
            trunk: trunk, logits: Tensor(Shape(images.shape.images, 1, 1, classes), in: arena))
    }

    func forward(_ buffers: Buffers, mode: NormMode, pass: Pass) throws {
        try trunk.forward(buffers.trunk, mode: mode, pass: pass)
        logits.forward(
            [Activation(final: buffers.trunk.output)], into: buffers.logits, pass: pass)
    }

    /// Where the network's gradients lie during a backward pass.
    struct Gradients: Sendable {
        /// Of the logits; the objective writes it.
        let logits: Tensor<Element>
        let trunk: PreActivationTrunk<Element>.Gradients
    }

    func planBackward(_ buffers: Buffers, in workspace: Workspace) -> Gradients {
        let arena = workspace.arena
        buffers.images.release()
        let logits = Tensor<Element>(buffers.logits.shape, in: arena)
        let mean = Tensor<Element>(buffers.trunk.output.shape, in: arena)
        return Gradients(
            logits: logits, trunk: trunk.planBackward([(buffers.trunk, mean)], in: workspace)[0])
    }

    /// The gradients of all parameters, from `gradients.logits`.
    ///
    /// - Parameter images: As they were loaded for forward.
    func backward(
        _ buffers: Buffers, _ gradients: Gradients, images: [Float], pass: Pass
    ) throws {
        // logits = mean·kernel + bias
        logits.backward(
            GradientSource(stored: gradients.logits),
            inputs: [Activation(final: buffers.trunk.output)],
            sinks: [GradientSink(gradients.trunk.output)], pass: pass)
        try trunk.backward([(buffers.trunk, gradients.trunk)], pass: pass) { _, target in
            target.load(images, pass: pass)
        }
    }
}
