import Layers
import Tensors

extension RepresentationNetwork {
    /// Where the network's gradients lie during a backward pass, and what is computed again.
    struct Gradients: Sendable {
        /// Of `logits2d`; the objective writes it.
        let logits: Tensor<Element>
        let what: Tensor<Element>
        let features: Tensor<Element>
        let blocks: [Bottleneck<Element>.Gradients]
        let kept: KeptValues
        /// The stem and the blocks with what forward gave back in the backward pass's places.
        let values:
            (
                stem: NormalizedConvolution<Element>.Buffers, blocks: [Bottleneck<Element>.Buffers]
            )
    }

    /// Reserves the gradients.
    func planBackward(_ buffers: Buffers, in workspace: Workspace) -> Gradients {
        let arena = workspace.arena
        let kept = KeptValues(blocks, stem: buffers.stem.output.shape, in: workspace)
        let logits = Tensor<Element>(buffers.logits.shape, in: arena)
        let what = Tensor<Element>(buffers.what.shape, in: arena)
        let features = Tensor<Element>(buffers.features.shape, in: arena)
        var outputs = buffers.blocks.map(\.output)
        var projections = buffers.blocks.map(\.projected)
        var stem = buffers.stem
        var values: [Bottleneck<Element>.Buffers] = []
        var gradients: [Bottleneck<Element>.Gradients] = []
        var gradient = features
        for index in blocks.indices.reversed() {
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
                block, outputGradient: gradient, in: workspace)
            gradient = blockGradients.input
            values.append(block)
            gradients.append(blockGradients)
        }
        return Gradients(
            logits: logits, what: what, features: features, blocks: gradients.reversed(),
            kept: kept, values: (stem, values.reversed()))
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
                norms: blockValues.last?.normTargets ?? [stemValues.normTarget]),
            mode: mode, pass: pass)
        for index in blocks.indices.reversed() {
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
                blockValues[index], gradients.blocks[index],
                inputNorms: index > 0
                    ? blockValues[index - 1].normTargets : [stemValues.normTarget],
                mode: mode, pass: pass)
        }
        let stemGradient = gradients.blocks.first?.input ?? gradients.features
        try stem.backward(
            stemValues, outputGradient: stemGradient, sink: images.map { GradientSink($0) },
            mode: mode, pass: pass)
    }
}
