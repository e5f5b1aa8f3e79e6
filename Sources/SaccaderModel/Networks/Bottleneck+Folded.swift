import Layers
import Tensors

/// The block of a model that is not trained: its norms are folded into the kernels, and the last
/// convolution writes the block's output.
extension Bottleneck {
    func planFolded(
        input: Activation<Element>, first: NormalizedConvolution<Element>.Buffers,
        middle: NormalizedConvolution<Element>.Buffers, shape: Shape, in workspace: Workspace
    ) -> Buffers {
        let projected = projection.map { projection in
            projection.plan(input: input.shape, in: workspace)
            return Tensor<Element>(shape, in: workspace.arena)
        }
        let output = Tensor<Element>(shape, in: workspace.arena)
        last.plan(in: workspace)
        let folded = (
            last: last.planFolded(in: workspace),
            projection: projection?.planFolded(in: workspace)
        )
        middle.output.raw.release()
        projected?.release()
        return Buffers(
            input: input, first: first, middle: middle, last: output,
            lastNorm: NormBuffers(channels: outputChannels, in: workspace), projected: projected,
            projectedNorm: projectionNorm.map { _ in
                NormBuffers(channels: outputChannels, in: workspace)
            }, output: output, folded: folded)
    }

    /// Reads kernels and norms.
    func fold(_ buffers: Buffers, pass: Pass) throws {
        guard let folded = buffers.folded else { return }
        let locations = buffers.output.shape.locations
        try first.fold(buffers.first, pass: pass)
        try middle.fold(buffers.middle, pass: pass)
        try mainNorm.finishForward(
            buffers.lastNorm, locations: locations, mode: .inference, pass: pass)
        last.fold(folded.last, norm: buffers.lastNorm, store: pass.store)
        if let projectionNorm, let norm = buffers.projectedNorm {
            try projectionNorm.finishForward(
                norm, locations: locations, mode: .inference, pass: pass)
        }
        if let projection, let kernel = folded.projection {
            projection.fold(kernel, norm: buffers.projectedNorm, store: pass.store)
        }
    }

    /// `output = relu(norm(conv3(…)) + shortcut(input))`, written once.
    func forward(
        _ buffers: Buffers,
        folded: (last: FoldedKernel<Element>, projection: FoldedKernel<Element>?), pass: Pass
    ) throws {
        try first.forward(buffers.first, mode: .inference, pass: pass)
        try middle.forward(buffers.middle, mode: .inference, pass: pass)
        var residual = Residual(buffers.input.raw, crop: crop)
        if let projection, let kernel = folded.projection, let projected = buffers.projected {
            projection.forward(
                buffers.input, folded: kernel, rectified: false, into: projected, pass: pass)
            residual = Residual(projected, crop: 0)
        }
        last.forward(
            buffers.middle.output, folded: folded.last, adding: residual, rectified: true,
            into: buffers.output, pass: pass)
    }
}
