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
        self.init(configuration, in: ParameterLayout(.classifier), head: .classifier)
    }

    /// Makes the layers as a part of a larger model.
    ///
    /// - Parameters:
    ///   - layout: What is registered already, and the group of what comes.
    ///   - head: The group of the logits.
    public init(
        _ configuration: ClassifierSettings, in layout: ParameterLayout, head: ParameterGroup
    ) {
        let sizes = configuration.classifier
        var layout = layout
        trunk = PreActivationTrunk(
            "classifier",
            sizes: .init(
                inputChannels: 3, stemChannels: sizes.stemChannels, planes: sizes.planes,
                blocks: sizes.blocks, strides: sizes.strides, expansion: sizes.expansion),
            style: .plain, norms: configuration.batchNorm, layout: &layout)
        layout.group = head
        logits = PointwiseConvolution(
            "classifier/logits", inputChannels: [trunk.outputChannels],
            outputChannels: configuration.classes, bias: true, layout: &layout)
        classes = configuration.classes
        self.configuration = configuration
        self.layout = layout
    }

    /// Where the network's values lie during a step.
    public struct Buffers: Sendable {
        let trunk: PreActivationTrunk<Element>.Buffers
        /// `[N, 1, 1, c]`.
        public let logits: Tensor<Element>

        /// The mean features, `[N, 1, 1, C]`.
        public var features: Tensor<Element> { trunk.output }
        /// `[N, H, W, 3]`.
        public var images: Tensor<Element> { trunk.images }
    }

    /// Reserves the values for images of a size.
    ///
    /// - Parameter frozenCount: How many of the parts are not trained, from the first on.
    public func plan(
        imageSize: Int, frozenCount: Int = 0, in workspace: Workspace
    ) -> Buffers {
        let arena = workspace.arena
        let images = Tensor<Element>(
            Shape(workspace.imageCapacity, imageSize, imageSize, 3), in: arena)
        let trunk = trunk.plan(images: images, frozenCount: frozenCount, in: workspace)
        logits.plan(in: workspace)
        return Buffers(
            trunk: trunk, logits: Tensor(Shape(images.shape.images, 1, 1, classes), in: arena))
    }

    /// Fills the logits.
    public func forward(_ buffers: Buffers, mode: NormMode, pass: Pass) throws {
        try trunk.forward(buffers.trunk, mode: mode, pass: pass)
        logits.forward(
            [Activation(final: buffers.trunk.output)], into: buffers.logits, pass: pass)
    }

    /// Where the network's gradients lie during a backward pass.
    public struct Gradients: Sendable {
        /// The gradient of the logits; the objective writes it.
        public let logits: Tensor<Element>
        /// Nil where the logits alone are trained.
        let trunk: PreActivationTrunk<Element>.Gradients?
    }

    /// Reserves the gradients, and gives back what was kept.
    public func planBackward(_ buffers: Buffers, in workspace: Workspace) -> Gradients {
        let arena = workspace.arena
        buffers.images.release()
        let logits = Tensor<Element>(buffers.logits.shape, in: arena)
        if buffers.trunk.frozenCount == trunk.partCount {
            return Gradients(logits: logits, trunk: nil)
        }
        let mean = Tensor<Element>(buffers.trunk.output.shape, in: arena)
        return Gradients(
            logits: logits, trunk: trunk.planBackward([(buffers.trunk, mean)], in: workspace)[0])
    }

    /// The gradients of all parameters, from `gradients.logits`.
    ///
    /// - Parameter refill: Writes the images, `[N, H, W, 3]`, once more as they were for forward.
    public func backward(
        _ buffers: Buffers, _ gradients: Gradients, pass: Pass,
        refill: (Tensor<Element>) -> Void
    ) throws {
        // logits = mean·kernel + bias
        logits.backward(
            GradientSource(stored: gradients.logits),
            inputs: [Activation(final: buffers.trunk.output)],
            sinks: [gradients.trunk.map { GradientSink($0.output) }], pass: pass)
        guard let trunkGradients = gradients.trunk else { return }
        try trunk.backward([(buffers.trunk, trunkGradients)], pass: pass) { _, target in
            refill(target)
        }
    }
}
