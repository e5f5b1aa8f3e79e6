import Layers
import Tensors

/// The network from features to "where" features: 1×1 and dilated 3×3 convolutions that see the
/// neighbourhood of each location (Method: Networks).
struct AttentionNetwork<Element: StorageElement>: Sendable {
    let layers: [NormalizedConvolution<Element>]

    init(_ configuration: SaccaderSettings, layout: inout ParameterLayout) {
        let attention = configuration.attention
        var channels = configuration.representation.featureChannels
        var layers: [NormalizedConvolution<Element>] = []
        for _ in 0..<attention.groups {
            let width = channels / 2
            for layer in 0..<attention.layersPerGroup {
                let path = "attention/layer\(layers.count)"
                let dilated = PatchGeometry(
                    kernel: 3, dilation: attention.dilation, offset: -attention.dilation)
                layers.append(
                    NormalizedConvolution(
                        "\(path)/conv", normPath: "\(path)/norm", inputChannels: channels,
                        outputChannels: width,
                        geometry: layer == 0 ? PatchGeometry(kernel: 1) : dilated,
                        configuration: configuration.batchNorm, layout: &layout))
                channels = width
            }
        }
        self.layers = layers
    }

    /// One per layer; the last one's output holds the "where" features, `[N, h, w, where]`.
    typealias Buffers = [NormalizedConvolution<Element>.Buffers]

    func plan(features: Activation<Element>, in workspace: Workspace) -> Buffers {
        var input = features
        return layers.map { layer in
            let buffers = layer.plan(input: input, in: workspace)
            input = buffers.output
            return buffers
        }
    }

    /// Reads kernels and norms of a model that is not trained, where the workspace folds norms.
    func fold(_ buffers: Buffers, pass: Pass) throws {
        for (layer, layerBuffers) in zip(layers, buffers) {
            try layer.fold(layerBuffers, pass: pass)
        }
    }

    func forward(_ buffers: Buffers, mode: NormMode, pass: Pass) throws {
        for (layer, layerBuffers) in zip(layers, buffers) {
            try layer.forward(layerBuffers, mode: mode, pass: pass)
        }
    }

    /// Reserves the gradient of each layer's output, and of the features where wanted.
    func planBackward(
        _ buffers: Buffers, wantsFeatures: Bool, in workspace: Workspace
    ) -> (outputs: [Tensor<Element>], features: Tensor<Element>?) {
        var outputs: [Tensor<Element>] = []
        for layerBuffers in buffers.reversed() {
            outputs.append(Tensor(layerBuffers.output.shape, in: workspace.arena))
        }
        let features = wantsFeatures ? buffers.first.map { $0.input.shape } : nil
        return (outputs.reversed(), features.map { Tensor($0, in: workspace.arena) })
    }

    /// The gradients of all parameters, from the masked gradient of the "where" features.
    ///
    /// - Parameter features: Overwritten with the features' gradient, not yet masked.
    func backward(
        _ buffers: Buffers, outputs: [Tensor<Element>], features: Tensor<Element>?, pass: Pass
    ) throws {
        // output of a layer = relu(norm(conv(input))), which the layer before it has written.
        for index in layers.indices.reversed() {
            var sink = features.map { GradientSink($0) }
            if index > 0 {
                sink = GradientSink(
                    outputs[index - 1], mask: buffers[index].input,
                    norms: [buffers[index - 1].normTarget])
            }
            try layers[index].backward(
                buffers[index], outputGradient: outputs[index], sink: sink, pass: pass)
        }
    }
}
