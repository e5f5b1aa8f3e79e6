import Layers
import Tensors

extension Bottleneck {
    /// Where the block's gradients lie during a backward pass.
    struct Gradients: Sendable {
        /// The gradient of the output; the block's readers write it.
        let output: Tensor<Element>
        let middle: Tensor<Element>
        let first: Tensor<Element>
        /// The gradient of the input through the projection, one row per output location.
        let projection: Tensor<Element>?
        /// The gradient of the input; nil where what comes before is not trained.
        let input: Tensor<Element>?
    }

    /// Reserves gradients in the order of the backward pass and gives back what it used up.
    ///
    /// - Parameter wantsInput: Whether what comes before the block is trained.
    func planBackward(
        _ buffers: Buffers, outputGradient: Tensor<Element>, wantsInput: Bool = true,
        in workspace: Workspace
    ) -> Gradients {
        let arena = workspace.arena
        buffers.output.release()
        let middle = Tensor<Element>(buffers.middle.output.shape, in: arena)
        buffers.last.release()
        let first = Tensor<Element>(buffers.first.output.shape, in: arena)
        middle.release()
        buffers.middle.output.raw.release()
        let projection = buffers.projected.flatMap { projected -> Tensor<Element>? in
            let input = buffers.input.shape
            let gradient =
                wantsInput
                ? Tensor<Element>(
                    Shape(
                        input.images, projected.shape.height, projected.shape.width,
                        input.channels), in: arena) : nil
            projected.release()
            return gradient
        }
        let input = wantsInput ? Tensor<Element>(buffers.input.shape, in: arena) : nil
        first.release()
        buffers.first.output.raw.release()
        projection?.release()
        outputGradient.release()
        return Gradients(
            output: outputGradient, middle: middle, first: first, projection: projection,
            input: input)
    }

    /// The gradients of all parameters and of the input, from `gradients.output`.
    ///
    /// - Parameter inputNorms: The norms before the block, which gather their sums.
    func backward(
        _ buffers: Buffers, _ gradients: Gradients,
        inputNorms: [GradientSink<Element>.NormTarget], mode: NormMode, pass: Pass
    ) throws {
        let locations = buffers.output.shape.locations
        // output = relu(norm(last) + shortcut): the ReLU's mask is already applied.
        try mainNorm.finishBackward(
            buffers.lastNorm, locations: locations, mode: mode, pass: pass)
        last.backward(
            GradientSource(gradients.output, through: buffers.lastNorm, of: buffers.last),
            inputs: [buffers.middle.output],
            sinks: [
                GradientSink(
                    gradients.middle, mask: buffers.middle.output,
                    norms: [buffers.middle.normTarget])
            ], pass: pass)
        // middle = relu(norm(conv2(first)))
        try middle.backward(
            buffers.middle, outputGradient: gradients.middle,
            sink: GradientSink(
                gradients.first, mask: buffers.first.output, norms: [buffers.first.normTarget]),
            mode: mode, pass: pass)
        // The shortcut's part of the input's gradient comes first, the main path's adds to it.
        var shortcut = GradientSink<Element>.Added(gradients.output, crop: crop)
        if let projection, let projected = buffers.projected {
            var source = GradientSource(stored: gradients.output)
            if let projectionNorm, let norm = buffers.projectedNorm {
                try projectionNorm.finishBackward(
                    norm, locations: locations, mode: mode, pass: pass)
                source = GradientSource(gradients.output, through: norm, of: projected)
            }
            projection.backward(
                source, input: buffers.input,
                inputGradient: gradients.projection.map { .locations($0) } ?? .none, pass: pass)
            if let part = gradients.projection {
                shortcut = GradientSink.Added(
                    part, crop: crop, stride: projection.geometry.stride)
            }
        }
        // first = relu(norm(conv1(input)))
        try first.backward(
            buffers.first, outputGradient: gradients.first,
            sink: gradients.input.map {
                GradientSink($0, adding: shortcut, mask: buffers.input, norms: inputNorms)
            }, mode: mode, pass: pass)
    }
}
