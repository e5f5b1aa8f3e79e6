import Tensors
import Testing

@testable import Layers

/// Each layer of the large networks by itself against central differences of its own forward pass,
/// so that a wrong gradient of a network has a place.
@Suite struct SingleLayerTests {
    @Test(arguments: [(1, 1, 0), (1, 2, 0), (3, 1, 0), (3, 2, 0), (3, 2, -1), (7, 2, -3)])
    func spatialConvolution(kernel: Int, stride: Int, offset: Int) throws {
        try check(
            PatchGeometry(kernel: kernel, stride: stride, offset: offset), size: kernel == 7 ? 4 : 5
        )
    }

    @Test func dilatedConvolution() throws {
        try check(PatchGeometry(kernel: 3, dilation: 2, offset: -2), size: 5)
    }

    private func check(_ geometry: PatchGeometry, size: Int) throws {
        let subject = GradientSubject(size: size, channels: 3)
        let layer = SpatialConvolution<Float>(
            "layer", inputChannels: 3, outputChannels: 4, geometry: geometry,
            layout: &subject.layout)
        layer.plan(input: subject.input.shape, in: subject.workspace)
        let output = Tensor<Float>(
            layer.outputShape(subject.input.shape), in: subject.workspace.arena)
        subject.reserve(output.shape)
        let read = Activation(rectifying: subject.input)
        subject.forward = { layer.forward(read, into: output, pass: $0) }
        subject.output = { output.elements() }
        subject.backward = { [gradient = subject.gradient, upstream = subject.upstream] in
            layer.backward(
                GradientSource(stored: upstream), input: read,
                inputGradient: .pixels(GradientSink(gradient, mask: read)), pass: $0)
        }
        try subject.check(step: 1 / 64, bound: 1e-3)
    }

    @Test func batchNorm() throws {
        let subject = GradientSubject(size: 3, channels: 4)
        let norm = BatchNorm(
            "norm", channels: 4, configuration: Self.norms, layout: &subject.layout)
        try check(norm, subject)
    }

    /// The second norm sees values whose mean is the first one's beta, whatever that is.
    @Test func chainedNorm() throws {
        let subject = GradientSubject(size: 3, channels: 4)
        let norm = ChainedNorm(
            first: BatchNorm(
                "first", channels: 4, configuration: Self.norms, layout: &subject.layout),
            second: BatchNorm(
                "second", channels: 4, configuration: Self.norms, layout: &subject.layout))
        subject.idle = ["first/beta"]
        try check(norm, subject)
    }

    /// Large enough to matter, so that its place in the formulas is seen.
    private static var norms: BatchNormConfiguration {
        var norms = BatchNormConfiguration()
        norms.epsilon = 0.5
        return norms
    }

    /// The sums that convolutions gather on the way are formed here by plain loops.
    private func check(_ norm: some Normalization, _ subject: GradientSubject) throws {
        let (input, channels) = (subject.input, subject.input.shape.channels)
        let locations = input.shape.locations
        let buffers = NormBuffers(channels: channels, in: subject.workspace)
        subject.reserve(input.shape)
        func forEach(
            _ images: Range<Int>, _ body: (_ index: Int, _ channel: Int) -> Void
        ) {
            for index
                in (images.lowerBound * locations * channels)..<(images.upperBound
                * locations * channels)
            {
                body(index, index % channels)
            }
        }
        subject.forward = { pass in
            pass.forEachShard { shard, images, _ in
                let sums = buffers.clearedMoments(shard: shard)
                forEach(images) { index, channel in
                    let value = Double(input.pointer[index])
                    sums[channel] += value
                    sums[channels + channel] += value * value
                }
            }
            try norm.finishForward(buffers, locations: locations, mode: .training, pass: pass)
        }
        subject.output = {
            input.elements().enumerated().map { index, value in
                buffers.scale.pointer[index % channels] * value
                    + buffers.shift.pointer[index % channels]
            }
        }
        subject.backward = { [gradient = subject.gradient, upstream = subject.upstream] pass in
            pass.forEachShard { shard, images, _ in
                buffers.clearGradientSums(shard: shard)
                let sums = buffers.gradientSums(shard: shard)
                forEach(images) { index, channel in
                    let value = Double(upstream.pointer[index])
                    sums[channel] += value
                    sums[channels + channel] +=
                        value * Double(input.pointer[index] - buffers.mean.pointer[channel])
                }
            }
            try norm.finishBackward(buffers, locations: locations, mode: .training, pass: pass)
            for index in 0..<input.shape.count {
                let channel = index % channels
                gradient.pointer[index] =
                    buffers.p.pointer[channel] * upstream.pointer[index]
                    + buffers.q.pointer[channel] * input.pointer[index]
                    + buffers.r.pointer[channel]
            }
        }
        try subject.check(step: 1 / 64, bound: 2e-3)
    }

    @Test func preActivation() throws {
        let subject = GradientSubject(size: 3, channels: 4)
        let layer = PreActivation<Float>(
            "layer", channels: 4, configuration: Self.norms, layout: &subject.layout)
        let (input, locations) = (subject.input, subject.input.shape.locations)
        let buffers = layer.plan(input: input, in: subject.workspace)
        subject.reserve(input.shape)
        subject.forward = { pass in
            pass.forEachShard { shard, images, _ in
                let rows = (images.lowerBound * locations)..<(images.upperBound * locations)
                input.store(
                    input.row(rows.lowerBound), rows: rows,
                    momentsTo: buffers.norm.clearedMoments(shard: shard))
            }
            try layer.forward(buffers, mode: .training, pass: pass)
        }
        subject.output = { buffers.output.values(imageCount: GradientSubject.images) }
        subject.backward = { [gradient = subject.gradient, upstream = subject.upstream] in
            BranchSum.pass(
                upstream,
                to: GradientSink(gradient, mask: buffers.output, norms: [buffers.normTarget]),
                pass: $0)
            try layer.backward(buffers, gradient: gradient, adding: nil, pass: $0)
        }
        try subject.check(step: 1 / 256, bound: 1e-2)
    }

    @Test(arguments: [(2, 2, 0), (3, 1, -1), (3, 2, -1)])
    func maxPooling(kernel: Int, stride: Int, offset: Int) throws {
        let subject = GradientSubject(size: 5, channels: 3)
        let layer = MaxPooling<Float>(
            PatchGeometry(kernel: kernel, stride: stride, offset: offset))
        layer.plan(input: subject.input.shape, in: subject.workspace)
        let output = Tensor<Float>(
            layer.outputShape(subject.input.shape), in: subject.workspace.arena)
        subject.reserve(output.shape)
        let input = Activation(final: subject.input)
        subject.forward = { layer.forward(input, into: output, pass: $0) }
        subject.output = { output.elements() }
        subject.backward = { [gradient = subject.gradient, upstream = subject.upstream] in
            layer.backward(upstream, input: input, sink: GradientSink(gradient), pass: $0)
        }
        try subject.check(step: 1 / 64, bound: 1e-3)
    }

    @Test func averagePooling() throws {
        let subject = GradientSubject(size: 4, channels: 3)
        let shape = subject.input.shape
        AveragePooling.plan(channels: shape.channels, in: subject.workspace)
        let output = Tensor<Float>(
            Shape(shape.images, 1, 1, shape.channels), in: subject.workspace.arena)
        subject.reserve(output.shape)
        let read = Activation(rectifying: subject.input)
        subject.forward = { AveragePooling.forward(read, into: output, pass: $0) }
        subject.output = { output.elements() }
        subject.backward = { [gradient = subject.gradient, upstream = subject.upstream] in
            AveragePooling.backward(
                upstream, locations: shape.locations, sink: GradientSink(gradient, mask: read),
                pass: $0)
        }
        try subject.check(step: 1 / 64, bound: 1e-3)
    }
}
