import Layers
import Tensors

extension RepresentationNetwork {
    /// Where the network's gradients lie during a backward pass, and what is computed again.
    struct Gradients: Sendable {
        /// The gradient of `logits2d`; the objective writes it.
        let logits: Tensor<Element>
        /// Nil where the logits alone are trained.
        let what: Tensor<Element>?
        /// Nil where no block is trained.
        let features: Tensor<Element>?
        /// The gradients of the blocks that are trained.
        let blocks: [Bottleneck<Element>.Gradients]
        let frozen: FrozenParts
        let kept: KeptValues
        /// The stem and the blocks with what forward gave back in the backward pass's places.
        let values:
            (
                stem: NormalizedConvolution<Element>.Buffers, blocks: [Bottleneck<Element>.Buffers]
            )
    }

    /// Reserves the gradients.
    ///
    /// - Parameter frozen: As in `plan`; not all of the network.
    func planBackward(
        _ buffers: Buffers, frozen: FrozenParts = .none, in workspace: Workspace
    ) -> Gradients {
        let arena = workspace.arena
        let kept = KeptValues(
            blocks, stem: buffers.stem.output.shape, frozen: frozen, in: workspace)
        let logits = Tensor<Element>(buffers.logits.shape, in: arena)
        let what = frozen.lowD ? nil : Tensor<Element>(buffers.what.shape, in: arena)
        let features =
            frozen.lowD || frozen.blocks == blocks.count
            ? nil : Tensor<Element>(buffers.features.shape, in: arena)
        var outputs = buffers.blocks.map(\.output)
        var projections = buffers.blocks.map(\.projected)
        var stem = buffers.stem
        var values: [Bottleneck<Element>.Buffers] = []
        var gradients: [Bottleneck<Element>.Gradients] = []
        var gradient = features
        for index in blocks.indices.dropFirst(frozen.blocks).reversed() {
            guard let output = gradient else { break }
            if kept.entersAgain(before: index) {
                stem = stem.moved(raw: Tensor(stem.output.shape, in: arena))
                projections[0] = projections[0].map { Tensor($0.shape, in: arena) }
            }
            for summed in kept.summedAgain(before: index) {
                outputs[summed] = Tensor(outputs[summed].shape, in: arena)
            }
            var first = buffers.blocks[index].first
            if index == 0 && !kept.keepsEntry {
                first = first.moved(raw: Tensor(first.output.shape, in: arena))
            }
            let input = index > 0 ? Activation(final: outputs[index - 1]) : stem.output
            let block = buffers.blocks[index].moved(
                input: input, first: first.moved(input: input), projected: projections[index],
                output: outputs[index])
            let blockGradients = blocks[index].planBackward(
                block, outputGradient: output,
                wantsInput: index > frozen.blocks || !frozen.stem, in: workspace)
            gradient = blockGradients.input
            values.append(block)
            gradients.append(blockGradients)
        }
        return Gradients(
            logits: logits, what: what, features: features, blocks: gradients.reversed(),
            frozen: frozen, kept: kept, values: (stem, values.reversed()))
    }

    /// The gradients of all parameters, from `gradients.logits` and those of other readers.
    ///
    /// - Parameters:
    ///   - what: A gradient that another reader has left at the "what" features.
    ///   - features: A gradient that another reader has left at the features.
    ///   - images: Overwritten with the images' gradient, `[N, H, W, 3]`, where wanted.
    ///   - mode: As in forward; in inference mode the norms' parameters are left out.
    func backward(
        _ buffers: Buffers, _ gradients: Gradients,
        addingToWhat what: Tensor<Element>? = nil,
        addingToFeatures features: Tensor<Element>? = nil,
        images: Tensor<Element>? = nil, mode: NormMode = .training, pass: Pass
    ) throws {
        let (kept, (stemValues, blockValues)) = (gradients.kept, gradients.values)
        let frozen = gradients.frozen
        // logits = what·kernel + bias
        logits.backward(
            GradientSource(stored: gradients.logits), inputs: [buffers.what],
            sinks: [
                gradients.what.map {
                    GradientSink(
                        $0, adding: what.map { GradientSink.Added($0) }, mask: buffers.what,
                        norms: [buffers.lowD.normTarget])
                }
            ], pass: pass)
        guard let whatGradient = gradients.what else { return }
        // what = relu(norm(conv(features)))
        try lowD.backward(
            buffers.lowD, outputGradient: whatGradient,
            sink: gradients.features.map {
                GradientSink(
                    $0, adding: features.map { GradientSink.Added($0) }, mask: buffers.features,
                    norms: blockValues.last?.normTargets ?? [stemValues.normTarget])
            }, mode: mode, pass: pass)
        // features = block(… block(stem(images)))
        for index in blocks.indices.dropFirst(frozen.blocks).reversed() {
            let own = index - frozen.blocks
            if kept.entersAgain(before: index) {
                stem.recompute(stemValues, pass: pass)
                blocks[0].project(blockValues[0], pass: pass)
            }
            for summed in kept.summedAgain(before: index) {
                blocks[summed].fillOutput(blockValues[summed], pass: pass)
            }
            if index == 0 && !kept.keepsEntry {
                blocks[0].first.recompute(blockValues[0].first, pass: pass)
            }
            try blocks[index].backward(
                blockValues[own], gradients.blocks[own],
                inputNorms: own > 0
                    ? blockValues[own - 1].normTargets : [stemValues.normTarget],
                mode: mode, pass: pass)
        }
        guard !frozen.stem, let stemGradient = gradients.blocks.first?.input ?? gradients.features
        else { return }
        try stem.backward(
            stemValues, outputGradient: stemGradient, sink: images.map { GradientSink($0) },
            mode: mode, pass: pass)
    }
}
