import Layers
import Tensors

/// The Saccader (Elsayed, Kornblith, Le, NeurIPS 2019): representation network, attention network,
/// mixing and cell. A value that names parameters; the numbers are in a `ParameterStore`.
public struct Saccader<Element: StorageElement>: Sendable {
    /// The dimensions.
    public let configuration: SaccaderSettings
    /// All parameters and statistics, in the order of the forward pass.
    public let layout: ParameterLayout
    /// The cell.
    public let cell: SaccaderCell
    let representation: RepresentationNetwork<Element>
    let attention: AttentionNetwork<Element>?
    let mixing: PointwiseConvolution<Element>

    /// Makes the layers; `configuration.problem` must be nil.
    public init(_ configuration: SaccaderSettings) {
        var layout = ParameterLayout(.representation)
        representation = RepresentationNetwork(configuration, layout: &layout)
        layout.group = .location
        let isAttentive = configuration.attention.enabled
        attention = isAttentive ? AttentionNetwork(configuration, layout: &layout) : nil
        let what = configuration.representation.whatChannels
        mixing = PointwiseConvolution(
            "mixing", inputChannels: (isAttentive ? [configuration.whereChannels] : []) + [what],
            outputChannels: configuration.mixedFeatures, bias: true, layout: &layout)
        cell = SaccaderCell(channels: configuration.mixedFeatures, layout: &layout)
        self.layout = layout
        self.configuration = configuration
    }

    /// Where the part after the representation network has its values during a step.
    struct LocationBuffers: Sendable {
        let attention: AttentionNetwork<Element>.Buffers
        /// What the mixing reads: "where" (unless disabled), then "what".
        let mixed: [Activation<Element>]
        /// F, `[N, h, w, d]`.
        let features: Tensor<Element>
    }

    func planLocation(
        _ representation: RepresentationNetwork<Element>.Buffers, frozen: FrozenParts = .none,
        in workspace: Workspace
    ) -> LocationBuffers {
        let attention = workspace.planning(frozen: frozen.attention) {
            self.attention?.plan(features: representation.features, in: workspace) ?? []
        }
        let shape = representation.what.shape
        mixing.plan(in: workspace)
        return LocationBuffers(
            attention: attention,
            mixed: (attention.last.map { [$0.output] } ?? []) + [representation.what],
            features: Tensor(
                Shape(shape.images, shape.height, shape.width, mixing.outputChannels),
                in: workspace.arena))
    }

    /// Reads the frozen parts, which no step changes.
    func fold(
        _ representation: RepresentationNetwork<Element>.Buffers, _ location: LocationBuffers,
        pass: Pass
    ) throws {
        try self.representation.fold(representation, pass: pass)
        try attention?.fold(location.attention, pass: pass)
    }

    /// Computes F from the representation network's outputs.
    func forwardLocation(_ buffers: LocationBuffers, mode: NormMode, pass: Pass) throws {
        try attention?.forward(buffers.attention, mode: mode, pass: pass)
        mixing.forward(buffers.mixed, into: buffers.features, pass: pass)
    }

    /// Where that part has its gradients.
    struct LocationGradients: Sendable {
        /// The gradient of F; the objective writes it.
        let mixed: Tensor<Element>
        /// The gradients of the attention layers' outputs; none where they are frozen.
        let attention: [Tensor<Element>]
        /// The gradient of the features and the "what" features, for the representation network.
        let features: Tensor<Element>?
        let what: Tensor<Element>?
        let frozen: FrozenParts
    }

    /// Reserves the gradients.
    ///
    /// - Parameter wantsInputs: Whether the representation network's trained parts need theirs.
    func planLocationBackward(
        _ buffers: LocationBuffers, frozen: FrozenParts = .none, wantsInputs: Bool,
        in workspace: Workspace
    ) -> LocationGradients {
        let arena = workspace.arena
        let mixed = Tensor<Element>(buffers.features.shape, in: arena)
        let what = buffers.mixed.last.map { $0.shape }
        let wantsFeatures = wantsInputs && frozen.blocks < representation.blocks.count
        let parts =
            frozen.attention
            ? nil
            : attention?.planBackward(
                buffers.attention, wantsFeatures: wantsFeatures, in: workspace)
        return LocationGradients(
            mixed: mixed, attention: parts?.outputs ?? [], features: parts?.features,
            what: wantsInputs && !frozen.lowD ? what.map { Tensor($0, in: arena) } : nil,
            frozen: frozen)
    }

    /// The gradients of mixing and attention from the gradient of F.
    func backwardLocation(
        _ buffers: LocationBuffers, _ gradients: LocationGradients, pass: Pass
    ) throws {
        if gradients.frozen.mixing { return }
        var sinks: [GradientSink<Element>?] = [gradients.what.map { GradientSink($0) }]
        if let outermost = buffers.attention.last {
            sinks.insert(
                gradients.attention.last.map {
                    GradientSink($0, mask: outermost.output, norms: [outermost.normTarget])
                }, at: 0)
        }
        // F = ["where", "what"]·kernel + bias
        mixing.backward(
            GradientSource(stored: gradients.mixed), inputs: buffers.mixed, sinks: sinks,
            pass: pass)
        if gradients.frozen.attention { return }
        // "where" = attention(features)
        try attention?.backward(
            buffers.attention, outputs: gradients.attention, features: gradients.features,
            pass: pass)
    }
}
