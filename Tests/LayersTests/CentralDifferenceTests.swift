import Tensors
import Testing

@testable import Layers

/// Gradients of what NASNet's cells are made of against central differences of their own forward
/// passes, with borders, odd and even sizes.
@Suite struct CentralDifferenceTests {
    @Test(arguments: [(3, 1), (3, 2), (5, 1), (5, 2), (7, 1), (7, 2)], [5, 6])
    func depthwise(window: (kernel: Int, stride: Int), size: Int) throws {
        let subject = GradientSubject(size: size, channels: 3)
        let layer = DepthwiseConvolution<Float>(
            "layer", channels: 3,
            padding: SamePadding(kernel: window.kernel, stride: window.stride),
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
                upstream, input: read, sink: GradientSink(gradient, mask: read), pass: $0)
        }
        try subject.check(step: 1 / 64, bound: 1e-3)
    }

    @Test(arguments: PoolPadding.allCases, [(5, 1), (5, 2), (6, 2)])
    func averages(divisor: PoolPadding, window: (size: Int, stride: Int)) throws {
        let subject = GradientSubject(size: window.size, channels: 3)
        let layer = SameAveragePooling<Float>(
            SamePadding(kernel: 3, stride: window.stride), divisor: divisor)
        layer.plan(input: subject.input.shape, in: subject.workspace)
        let output = Tensor<Float>(
            layer.outputShape(subject.input.shape), in: subject.workspace.arena)
        subject.reserve(output.shape)
        let read = Activation(final: subject.input)
        subject.forward = { layer.forward(read, into: output, pass: $0) }
        subject.output = { output.elements() }
        subject.backward = { [gradient = subject.gradient, upstream = subject.upstream] in
            layer.backward(upstream, sink: GradientSink(gradient), pass: $0)
        }
        try subject.check(step: 1 / 64, bound: 1e-3)
    }

    @Test(arguments: [(5, 1), (5, 2), (6, 2)])
    func maximum(size: Int, stride: Int) throws {
        let subject = GradientSubject(size: size, channels: 3)
        let layer = MaxPooling<Float>(SamePadding(kernel: 3, stride: stride))
        layer.plan(input: subject.input.shape, in: subject.workspace)
        let output = Tensor<Float>(
            layer.outputShape(subject.input.shape), in: subject.workspace.arena)
        subject.reserve(output.shape)
        let read = Activation(final: subject.input)
        subject.forward = { layer.forward(read, into: output, pass: $0) }
        subject.output = { output.elements() }
        subject.backward = { [gradient = subject.gradient, upstream = subject.upstream] in
            layer.backward(upstream, input: read, sink: GradientSink(gradient), pass: $0)
        }
        try subject.check(step: 1 / 64, bound: 1e-3)
    }

    private static var norms: BatchNormConfiguration {
        var norms = BatchNormConfiguration()
        norms.epsilon = 1e-3
        return norms
    }

    @Test(arguments: [5, 6]) func factorizedReduction(size: Int) throws {
        let subject = GradientSubject(size: size, channels: 3)
        let layer = FactorizedReduction<Float>(
            "layer", inputs: [3], outputs: 4, norms: Self.norms, layout: &subject.layout)
        let read = Activation(final: subject.input)
        // Before anything is given back: what a forward pass overwrites.
        subject.reserve(Shape(GradientSubject.images, (size + 1) / 2, (size + 2) / 2, 4))
        let buffers = layer.plan(inputs: [read], in: subject.workspace)
        // Kept: differences want the output after the backward pass too.
        let gradients = FactorizedReduction<Float>.Gradients(
            halves: buffers.halves.map { Tensor($0.shape, in: subject.workspace.arena) },
            pixels: buffers.pixels.map { Tensor($0.shape, in: subject.workspace.arena) })
        subject.forward = { try layer.forward(buffers, mode: .training, pass: $0) }
        subject.output = { buffers.value.values(imageCount: GradientSubject.images) }
        subject.backward = { [gradient = subject.gradient, upstream = subject.upstream] in
            upstream.gatherNormSums([buffers.normTarget], pass: $0)
            try layer.backward(
                buffers, gradients, gradient: upstream,
                sinks: [GradientSink(gradient, mask: read.rectified)], pass: $0)
        }
        try subject.check(step: 1 / 128, bound: 5e-3)
    }

    /// What brings an input of the same size to a cell's channels.
    @Test func adjusting() throws {
        let subject = GradientSubject(size: 4, channels: 3)
        let layer = NormalizedPointwise<Float>(
            "layer/conv", normPath: "layer/norm", inputs: [3], outputs: 4, norms: Self.norms,
            layout: &subject.layout)
        let read = Activation(rectifying: subject.input)
        let buffers = layer.plan(inputs: [read], in: subject.workspace)
        subject.reserve(buffers.raw.shape)
        subject.forward = { try layer.forward(buffers, mode: .training, pass: $0) }
        subject.output = { buffers.value.values(imageCount: GradientSubject.images) }
        subject.backward = { [gradient = subject.gradient, upstream = subject.upstream] in
            upstream.gatherNormSums([buffers.normTarget], pass: $0)
            try layer.backward(
                buffers, gradient: upstream, sinks: [GradientSink(gradient, mask: read)],
                pass: $0)
        }
        try subject.check(step: 1 / 128, bound: 5e-3)
    }

    /// A branch that one image leaves out and another enlarges, beside one that is the input.
    @Test func dropPath() throws {
        let subject = GradientSubject(size: 3, channels: 5)
        let factor: BranchSum.Factor = { $0 == 0 ? 0 : 1.25 }
        BranchSum.plan(channels: 5, in: subject.workspace)
        let output = Tensor<Float>(subject.input.shape, in: subject.workspace.arena)
        let branch = Tensor<Float>(subject.input.shape, in: subject.workspace.arena)
        subject.reserve(output.shape)
        let read = Activation(final: subject.input)
        subject.forward = {
            BranchSum.forward([read, read], factors: [factor, nil], into: output, pass: $0)
        }
        subject.output = { output.elements() }
        subject.backward = { [gradient = subject.gradient, upstream = subject.upstream] in
            BranchSum.backward(upstream, factor: factor, into: branch, pass: $0)
            BranchSum.pass(branch, to: GradientSink(gradient), pass: $0)
            BranchSum.pass(upstream, to: GradientSink(gradient, accumulates: true), pass: $0)
        }
        try subject.check(step: 1 / 64, bound: 1e-3)
    }
}
