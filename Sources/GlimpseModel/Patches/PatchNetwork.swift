import Layers
import Models
import ResNetModel
import Tensors

extension ParameterGroup {
    /// The frozen model that says where.
    static let locator = ParameterGroup("locator", l2Name: "l2Locator")
    /// The network that classifies patches, without its logits.
    static let body = ParameterGroup("network", l2Name: "l2")
    /// The network's logits.
    static let head = ParameterGroup("logits", l2Name: "l2")
}

/// The network that classifies patches, of either kind.
enum PatchNetwork<Element: StorageElement>: Sendable {
    case nasnet(NASNet<Element>)
    case residual(Classifier<Element>)

    /// Makes the network, and all parameters: the locator's first.
    static func make(_ settings: GlimpseSettings) -> (network: Self, layout: ParameterLayout) {
        var layout = ParameterLayout(.locator)
        if let locator = settings.locator {
            layout = ParameterLayout(.locator, beginningWith: locator.model.layout)
        }
        switch settings.glimpse.network {
        case .nasnet:
            let network = NASNet<Element>(
                settings.nasnet, classes: settings.classes, sync: settings.batchNorm.sync,
                groups: (.body, .head), layout: &layout)
            return (.nasnet(network), layout)
        case .resnetv2:
            layout.group = .body
            let network = Classifier<Element>(settings.residual, in: layout, head: .head)
            return (.residual(network), network.layout)
        }
    }

    /// Where the network's values lie.
    enum Buffers: Sendable {
        case nasnet(NASNet<Element>.Buffers)
        case residual(Classifier<Element>.Buffers)

        /// `[N, p, p, 3]`.
        var images: Tensor<Element> {
            switch self {
            case .nasnet(let buffers): buffers.images
            case .residual(let buffers): buffers.images
            }
        }

        /// `[N, 1, 1, c]`.
        var logits: Tensor<Element> {
            switch self {
            case .nasnet(let buffers): buffers.logits
            case .residual(let buffers): buffers.logits
            }
        }
    }

    /// The parts of the network that a stage can leave untouched.
    static func freezable(_ settings: GlimpseSettings) -> FreezableParts {
        switch settings.glimpse.network {
        case .nasnet: FreezableParts(NASNetWiring(settings.nasnet).parts)
        case .resnetv2: settings.residual.freezable
        }
    }

    func plan(imageSize: Int, frozenCount: Int = 0, in workspace: Workspace) -> Buffers {
        switch self {
        case .nasnet(let network):
            .nasnet(
                network.plan(imageSize: imageSize, frozenCount: frozenCount, in: workspace))
        case .residual(let network):
            .residual(
                network.plan(imageSize: imageSize, frozenCount: frozenCount, in: workspace))
        }
    }

    /// Fills the logits.
    ///
    /// - Parameter visit: Gets the name and parts of what the layers leave behind.
    func forward(
        _ buffers: Buffers, mode: NormMode, noise: StepNoise? = nil, pass: Pass,
        visit: (_ name: String, _ parts: [Activation<Element>]) -> Void = { _, _ in }
    ) throws {
        switch (self, buffers) {
        case (.nasnet(let network), .nasnet(let buffers)):
            try network.forward(buffers, mode: mode, noise: noise, pass: pass) {
                visit("nasnet/\($0)", $1)
            }
        case (.residual(let network), .residual(let buffers)):
            try network.forward(buffers, mode: mode, pass: pass)
            visit("classifier/features", [Activation(final: buffers.features)])
            visit("classifier/logits", [Activation(final: buffers.logits)])
        default: preconditionFailure("the values are another network's")
        }
    }

    /// Everything that the layers leave behind, where all of it is kept.
    func forEachValue(
        _ buffers: Buffers, _ body: (_ name: String, _ parts: [Activation<Element>]) -> Void
    ) {
        switch (self, buffers) {
        case (.nasnet(let network), .nasnet(let buffers)):
            network.forEachValue(buffers) { body("nasnet/\($0)", $1) }
        case (.residual, .residual(let buffers)):
            body("classifier/features", [Activation(final: buffers.features)])
            body("classifier/logits", [Activation(final: buffers.logits)])
        default: preconditionFailure("the values are another network's")
        }
    }

    /// Where the network's gradients lie.
    enum Gradients: Sendable {
        case nasnet(NASNet<Element>.Gradients)
        case residual(Classifier<Element>.Gradients)

        /// The gradient of the logits.
        var logits: Tensor<Element> {
            switch self {
            case .nasnet(let gradients): gradients.logits
            case .residual(let gradients): gradients.logits
            }
        }
    }

    func planBackward(_ buffers: Buffers, in workspace: Workspace) -> Gradients {
        switch (self, buffers) {
        case (.nasnet(let network), .nasnet(let buffers)):
            .nasnet(network.planBackward(buffers, in: workspace))
        case (.residual(let network), .residual(let buffers)):
            .residual(network.planBackward(buffers, in: workspace))
        default: preconditionFailure("the values are another network's")
        }
    }

    /// The gradients of all parameters, from those of the logits.
    ///
    /// - Parameter refill: Writes the images once more.
    func backward(
        _ buffers: Buffers, _ gradients: Gradients, noise: StepNoise?, pass: Pass,
        refill: (Tensor<Element>) -> Void
    ) throws {
        switch (self, buffers, gradients) {
        case (.nasnet(let network), .nasnet(let buffers), .nasnet(let gradients)):
            try network.backward(buffers, gradients, noise: noise, pass: pass)
        case (.residual(let network), .residual(let buffers), .residual(let gradients)):
            try network.backward(buffers, gradients, pass: pass, refill: refill)
        default: preconditionFailure("the values are another network's")
        }
    }
}

extension TracedArray {
    /// Several values of the patches side by side: `[B, T, h, w, ΣC]`, of features `[B, T, ΣC]`.
    init<Element>(
        _ path: String, _ parts: [Activation<Element>], images: Int, glimpses: Int
    ) {
        let count = images * glimpses
        let all = parts.map { ($0.shape.channels, $0.values(imageCount: count)) }
        let shape = parts[0].shape
        var values: [Float] = []
        values.reserveCapacity(all.reduce(0) { $0 + $1.1.count })
        for row in 0..<(count * shape.locations) {
            for (channels, part) in all {
                values += part[(row * channels)..<((row + 1) * channels)]
            }
        }
        let isVector =
            path.hasSuffix("/logits") || path.hasSuffix("/pooled")
            || path.hasSuffix("/features")
        self.init(
            path,
            [images, glimpses] + (isVector ? [] : [shape.height, shape.width])
                + [all.reduce(0) { $0 + $1.0 }], .floats(values))
    }
}
