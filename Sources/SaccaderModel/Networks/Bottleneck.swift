import Layers
import Tensors

/// A residual block: 1×1 → k×k → 1×1 with a shortcut (Method: Networks).
///
/// Every convolution is valid, so the shortcut is cropped by one pixel on each side when k = 3;
/// it goes through a 1×1 convolution when the stride or the channels change.
struct Bottleneck<Element: StorageElement>: Sendable {
    let first: NormalizedConvolution<Element>
    let middle: NormalizedConvolution<Element>
    let last: PointwiseConvolution<Element>
    /// The norm of the main path, or two chained ones (`shortcutNorm: reference`).
    let mainNorm: any Normalization
    let projection: SpatialConvolution<Element>?
    /// The norm of the projected residual (`shortcutNorm: residual`).
    let projectionNorm: BatchNorm?
    let crop: Int
    let outputChannels: Int

    init(
        _ path: String, inputChannels: Int, planes: Int, kernel: Int, stride: Int,
        configuration: SaccaderSettings, layout: inout ParameterLayout
    ) {
        let norms = configuration.batchNorm
        outputChannels = planes * configuration.representation.expansion
        crop = (kernel - 1) / 2
        first = NormalizedConvolution(
            "\(path)/conv1", normPath: "\(path)/norm1", inputChannels: inputChannels,
            outputChannels: planes, configuration: norms, layout: &layout)
        middle = NormalizedConvolution(
            "\(path)/conv2", normPath: "\(path)/norm2", inputChannels: planes,
            outputChannels: planes, geometry: PatchGeometry(kernel: kernel, stride: stride),
            configuration: norms, layout: &layout)
        last = PointwiseConvolution(
            "\(path)/conv3", inputChannels: [planes], outputChannels: outputChannels,
            layout: &layout)
        let isProjected = stride != 1 || inputChannels != outputChannels
        let chains = isProjected && configuration.representation.shortcutNorm == .reference
        // A second norm over a gamma of 0 would see no variance and learn nothing.
        let mainNorm = BatchNorm(
            "\(path)/norm3", channels: outputChannels, initialGamma: chains ? 1 : 0,
            configuration: norms, layout: &layout)
        guard isProjected else {
            (projection, projectionNorm) = (nil, nil)
            self.mainNorm = mainNorm
            return
        }
        projection = SpatialConvolution(
            "\(path)/shortcut/conv", inputChannels: inputChannels, outputChannels: outputChannels,
            geometry: PatchGeometry(kernel: 1, stride: stride, offset: crop), layout: &layout)
        let second = BatchNorm(
            "\(path)/shortcut/norm", channels: outputChannels, initialGamma: chains ? 0 : 1,
            configuration: norms, layout: &layout)
        projectionNorm = chains ? nil : second
        self.mainNorm = chains ? ChainedNorm(first: mainNorm, second: second) : mainNorm
    }

    /// Where the block's values lie during a step.
    struct Buffers: Sendable {
        let input: Activation<Element>
        let first: NormalizedConvolution<Element>.Buffers
        let middle: NormalizedConvolution<Element>.Buffers
        let last: Tensor<Element>
        let lastNorm: NormBuffers
        let projected: Tensor<Element>?
        let projectedNorm: NormBuffers?
        let output: Tensor<Element>
        /// The last convolution's and the projection's kernel, where norms are folded.
        var folded: (last: FoldedKernel<Element>, projection: FoldedKernel<Element>?)?

        /// The norms that a gradient of the output passes next.
        var normTargets: [GradientSink<Element>.NormTarget] {
            var targets = [GradientSink<Element>.NormTarget(raw: last, norm: lastNorm)]
            if let projected, let projectedNorm {
                targets.append(.init(raw: projected, norm: projectedNorm))
            }
            return targets
        }

        /// The same block with values that were given back elsewhere in memory.
        func moved(
            input: Activation<Element>, first: NormalizedConvolution<Element>.Buffers,
            projected: Tensor<Element>?, output: Tensor<Element>
        ) -> Buffers {
            Buffers(
                input: input, first: first, middle: middle.moved(input: first.output),
                last: last, lastNorm: lastNorm, projected: projected,
                projectedNorm: projectedNorm, output: output)
        }
    }

    /// Reserves the block's values.
    ///
    /// - Parameter keepsInner: Whether the first convolution's and the projection's output stay for
    ///   the backward pass.
    func plan(
        input: Activation<Element>, keepsInner: Bool, in workspace: Workspace
    ) -> Buffers {
        let first = first.plan(input: input, in: workspace)
        let middle = middle.plan(input: first.output, in: workspace)
        if !keepsInner { first.output.raw.release() }
        let inner = middle.output.shape
        let shape = Shape(inner.images, inner.height, inner.width, outputChannels)
        if workspace.foldsNorms {
            return planFolded(
                input: input, first: first, middle: middle, shape: shape, in: workspace)
        }
        let last = Tensor<Element>(shape, in: workspace.arena)
        let lastNorm = NormBuffers(channels: outputChannels, in: workspace)
        let projectedNorm = projectionNorm.map { _ in
            NormBuffers(channels: outputChannels, in: workspace)
        }
        self.last.plan(in: workspace)
        if !workspace.keepsActivations { middle.output.raw.release() }
        let projected = projection.map { projection in
            projection.plan(input: input.shape, in: workspace)
            return Tensor<Element>(shape, in: workspace.arena)
        }
        let output = Tensor<Element>(shape, in: workspace.arena)
        if !workspace.keepsActivations { last.release() }
        if !keepsInner { projected?.release() }
        return Buffers(
            input: input, first: first, middle: middle, last: last,
            lastNorm: lastNorm, projected: projected, projectedNorm: projectedNorm, output: output)
    }

    /// `output = relu(norm(conv3(…)) + shortcut(input))`, written rectified.
    func forward(_ buffers: Buffers, mode: NormMode, pass: Pass) throws {
        if let folded = buffers.folded {
            return try forward(buffers, folded: folded, pass: pass)
        }
        let moments = mode == .training
        try first.forward(buffers.first, mode: mode, pass: pass)
        try middle.forward(buffers.middle, mode: mode, pass: pass)
        last.forward(
            [buffers.middle.output], into: buffers.last,
            momentsOf: moments ? buffers.lastNorm : nil, pass: pass)
        let locations = buffers.output.shape.locations
        try mainNorm.finishForward(
            buffers.lastNorm, locations: locations, mode: mode, pass: pass)
        project(buffers, momentsOf: moments ? buffers.projectedNorm : nil, pass: pass)
        if let projectionNorm, let norm = buffers.projectedNorm {
            try projectionNorm.finishForward(norm, locations: locations, mode: mode, pass: pass)
        }
        fillOutput(buffers, pass: pass)
    }

    /// The projection's raw output, where there is one.
    func project(_ buffers: Buffers, momentsOf norm: NormBuffers? = nil, pass: Pass) {
        guard let projection, let projected = buffers.projected else { return }
        projection.forward(buffers.input, into: projected, momentsOf: norm, pass: pass)
    }

    /// The residual sum: all of the output that is not kept by what comes before it.
    func fillOutput(_ buffers: Buffers, pass: Pass) {
        let main = Activation(raw: buffers.last, norm: buffers.lastNorm, rectified: false)
        main.addRectified(residual(buffers), into: buffers.output, pass: pass)
    }

    /// What the shortcut carries, and how many pixels of it are cropped on each side.
    private func residual(_ buffers: Buffers) -> (Activation<Element>, crop: Int) {
        guard let projected = buffers.projected else { return (buffers.input, crop) }
        if let norm = buffers.projectedNorm {
            return (Activation(raw: projected, norm: norm, rectified: false), 0)
        }
        return (Activation(final: projected), 0)
    }
}
