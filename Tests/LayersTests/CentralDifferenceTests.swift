import Tensors
import Testing

@testable import Layers

/// Gradients of what NASNet's cells are made of against central differences of their own forward
/// passes, with borders, odd and even sizes.
@Suite struct CentralDifferenceTests {
    private static let images = 2
    private static let shards = [0..<1, 1..<2]

    /// A layer with its numbers.
    private final class Subject {
        let workspace = Workspace(
            imageCapacity: images, shardCapacity: shards.count, keepsActivations: true)
        let input: Tensor<Float>
        let gradient: Tensor<Float>
        var layout = ParameterLayout()
        /// What is summed with the upstream gradient to the loss.
        var output: () -> [Float] = { [] }
        var upstream: Tensor<Float>
        var forward: (Pass) throws -> Void = { _ in }
        var backward: (Pass) throws -> Void = { _ in }

        init(size: Int, channels: Int) {
            let shape = Shape(images, size, size + 1, channels)
            input = Tensor(shape, in: workspace.arena)
            gradient = Tensor(shape, in: workspace.arena)
            upstream = gradient
        }

        /// Reserves the output's gradient.
        func reserve(_ shape: Shape) { upstream = Tensor(shape, in: workspace.arena) }

        /// Compares every gradient with (L(x + step) − L(x − step)) / 2·step.
        func check(step: Float, bound: Double, place: SourceLocation = #_sourceLocation) throws {
            workspace.commit(threadCount: 1)
            workspace.allocate()
            let store = ParameterStore(layout: layout, seed: 5)
            let pass = Pass(
                pool: ThreadPool(threadCount: 1), reducer: NoRanks(), store: store,
                workspace: workspace, shards: shards, globalImageCount: images)
            var random = CounterRandom(seed: 7, purpose: .scene)
            // All different, and none nearer than two steps to another or to 0.
            var order = Array(0..<input.shape.count)
            for index in order.indices {
                order.swapAt(index, index + Int(random.uniform() * Double(order.count - index)))
            }
            for (index, rank) in order.enumerated() {
                input.pointer[index] = (Float(rank - order.count / 3) + 0.5) * 4 * step
            }
            for index in 0..<upstream.shape.count {
                upstream.pointer[index] = Float(random.uniform() - 0.4)
            }
            for parameter in layout.parameters where !parameter.decays {
                for index in 0..<parameter.count {
                    store.values(parameter)[index] += Float(random.uniform() - 0.3)
                }
            }
            try forward(pass)
            try backward(pass)
            let found = input.shape.count
            var exact = [[Float](UnsafeBufferPointer(start: gradient.pointer, count: found))]
            var places = [(input.pointer, found)]
            for parameter in layout.parameters {
                places.append((store.values(parameter), parameter.count))
                exact.append(
                    (0..<parameter.count).map { store.gradient(parameter)[$0] })
            }
            func loss() throws -> Double {
                try forward(pass)
                return zip(output(), 0...).reduce(0) {
                    $0 + Double($1.0) * Double(upstream.pointer[$1.1])
                }
            }
            for ((values, count), exact) in zip(places, exact) {
                let scale = exact.map { abs(Double($0)) }.max() ?? 0
                #expect(scale > 0, sourceLocation: place)
                for index in 0..<count {
                    let value = values[index]
                    values[index] = value + step
                    let above = try loss()
                    values[index] = value - step
                    let below = try loss()
                    values[index] = value
                    let difference = (above - below) / (2 * Double(step))
                    #expect(
                        abs(difference - Double(exact[index])) <= bound * scale,
                        "\(difference) and \(exact[index])", sourceLocation: place)
                }
            }
        }
    }

    @Test(arguments: [(3, 1), (3, 2), (5, 1), (5, 2), (7, 1), (7, 2)], [5, 6])
    func depthwise(window: (kernel: Int, stride: Int), size: Int) throws {
        let subject = Subject(size: size, channels: 3)
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
        let subject = Subject(size: window.size, channels: 3)
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
        let subject = Subject(size: size, channels: 3)
        let layer = SameMaxPooling<Float>(SamePadding(kernel: 3, stride: stride))
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
        let subject = Subject(size: size, channels: 3)
        let layer = FactorizedReduction<Float>(
            "layer", inputs: [3], outputs: 4, norms: Self.norms, layout: &subject.layout)
        let read = Activation(final: subject.input)
        // Before anything is given back: what a forward pass overwrites.
        subject.reserve(Shape(Self.images, (size + 1) / 2, (size + 2) / 2, 4))
        let buffers = layer.plan(inputs: [read], in: subject.workspace)
        // Kept: differences want the output after the backward pass too.
        let gradients = FactorizedReduction<Float>.Gradients(
            halves: buffers.halves.map { Tensor($0.shape, in: subject.workspace.arena) },
            pixels: buffers.pixels.map { Tensor($0.shape, in: subject.workspace.arena) })
        subject.forward = { try layer.forward(buffers, mode: .training, pass: $0) }
        subject.output = { buffers.value.values(imageCount: Self.images) }
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
        let subject = Subject(size: 4, channels: 3)
        let layer = NormalizedPointwise<Float>(
            "layer/conv", normPath: "layer/norm", inputs: [3], outputs: 4, norms: Self.norms,
            layout: &subject.layout)
        let read = Activation(rectifying: subject.input)
        let buffers = layer.plan(inputs: [read], in: subject.workspace)
        subject.reserve(buffers.raw.shape)
        subject.forward = { try layer.forward(buffers, mode: .training, pass: $0) }
        subject.output = { buffers.value.values(imageCount: Self.images) }
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
        let subject = Subject(size: 3, channels: 5)
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
