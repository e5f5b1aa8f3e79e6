import Tensors
import Testing

@testable import Layers

/// Depthwise convolutions and pools with TensorFlow's SAME margins against sums written out in
/// double precision, with odd and even sizes, and channels that fill no vector.
@Suite struct DepthwiseTests {
    static let cases: [(kernel: Int, stride: Int, size: Int, channels: Int)] = [
        (3, 1, 6, 5), (5, 1, 7, 20), (7, 1, 4, 16), (3, 2, 7, 5), (3, 2, 6, 33), (5, 2, 9, 17),
        (5, 2, 8, 4), (7, 2, 11, 18), (7, 2, 6, 3), (7, 2, 2, 16), (3, 1, 1, 7), (5, 2, 1, 7),
    ]
    private static let images = 3
    private static let shards = [0..<2, 2..<3]

    /// What a layer leaves behind, and what its reference does.
    private struct Subject<Element: StorageElement> {
        let workspace: Workspace
        let store: ParameterStore
        let input: Tensor<Element>
        let output: Tensor<Element>
        let upstream: Tensor<Element>
        let gradient: Tensor<Element>

        init(
            layout: ParameterLayout, input: Shape, output: Shape, threads: Int,
            plan: (Workspace) -> Void
        ) {
            workspace = Workspace(
                imageCapacity: images, shardCapacity: shards.count, keepsActivations: true)
            plan(workspace)
            self.input = Tensor(input, in: workspace.arena)
            self.output = Tensor(output, in: workspace.arena)
            upstream = Tensor(output, in: workspace.arena)
            gradient = Tensor(input, in: workspace.arena)
            workspace.commit(threadCount: threads)
            workspace.allocate()
            store = ParameterStore(layout: layout, seed: 3)
            fill(self.input, 0)
            fill(upstream, 1)
        }

        func pass(threads: Int) -> Pass {
            Pass(
                pool: ThreadPool(threadCount: threads), reducer: NoRanks(), store: store,
                workspace: workspace, shards: shards, globalImageCount: images)
        }
    }

    private static func fill<Element: StorageElement>(_ tensor: Tensor<Element>, _ stream: Int) {
        var random = CounterRandom(seed: 7, purpose: .scene, stream: UInt64(stream))
        for index in 0..<tensor.shape.count {
            // Multiples of 1/64: exact in bfloat16 too.
            tensor.pointer[index] = Element(
                narrowing: Float((random.uniform() * 128).rounded(.down) - 60) / 64)
        }
    }

    /// Calls `body` for every tap inside the image: indices of output, input and tap.
    private static func forEachTap(
        _ padding: SamePadding, _ input: Shape, _ output: Shape,
        _ body: (_ output: Int, _ input: Int, _ tap: Int) -> Void
    ) {
        let before = (
            padding.before(input.height), padding.before(input.width)
        )
        for image in 0..<images {
            for i in 0..<output.height {
                for j in 0..<output.width {
                    for u in 0..<padding.kernel {
                        for v in 0..<padding.kernel {
                            let (y, x) = (
                                i * padding.stride + u - before.0,
                                j * padding.stride + v - before.1
                            )
                            guard (0..<input.height).contains(y), (0..<input.width).contains(x)
                            else { continue }
                            body(
                                (image * output.height + i) * output.width + j,
                                (image * input.height + y) * input.width + x,
                                u * padding.kernel + v)
                        }
                    }
                }
            }
        }
    }

    private static func isClose(_ found: [Float], _ expected: [Double], _ bound: Double) -> Bool {
        let scale = expected.map(abs).max() ?? 0
        return scale > 0 && found.count == expected.count
            && zip(found, expected).allSatisfy { abs(Double($0) - $1) <= bound * scale }
    }

    private func convolution<Element: StorageElement>(
        _ type: Element.Type, _ index: Int, threads: Int, bound: Double
    ) throws {
        let (kernel, stride, size, channels) = Self.cases[index]
        let padding = SamePadding(kernel: kernel, stride: stride)
        var layout = ParameterLayout()
        let layer = DepthwiseConvolution<Element>(
            "layer", channels: channels, padding: padding, layout: &layout)
        let input = Shape(Self.images, size, size + 1, channels)
        let output = layer.outputShape(input)
        #expect(output.height == (size + stride - 1) / stride)
        let subject = Subject<Element>(
            layout: layout, input: input, output: output, threads: threads
        ) { layer.plan(input: input, in: $0) }
        let pass = subject.pass(threads: threads)
        let read = Activation(rectifying: subject.input)
        layer.forward(read, into: subject.output, pass: pass)
        layer.backward(
            subject.upstream, input: read, sink: GradientSink(subject.gradient, mask: read),
            pass: pass)
        let weights = (0..<layer.kernel.count).map { subject.store.values(layer.kernel)[$0] }
        let values = subject.input.elements().map { max(0, Double($0.widened)) }
        let upstream = subject.upstream.elements().map { Double($0.widened) }
        var sums = [Double](repeating: 0, count: output.count)
        var gradient = [Double](repeating: 0, count: input.count)
        var kernelGradient = [Double](repeating: 0, count: weights.count)
        Self.forEachTap(padding, input, output) { row, pixel, tap in
            for channel in 0..<channels {
                let (o, i, k) = (
                    row * channels + channel, pixel * channels + channel,
                    tap * channels + channel
                )
                sums[o] += Double(weights[k]) * values[i]
                kernelGradient[k] += values[i] * upstream[o]
                if values[i] > 0 { gradient[i] += Double(weights[k]) * upstream[o] }
            }
        }
        #expect(Self.isClose(subject.output.elements().map(\.widened), sums, bound))
        #expect(Self.isClose(subject.gradient.elements().map(\.widened), gradient, bound))
        let found = (0..<weights.count).map { subject.store.gradient(layer.kernel)[$0] }
        #expect(Self.isClose(found, kernelGradient, 1e-5))
    }

    @Test(arguments: cases.indices) func convolves(index: Int) throws {
        try convolution(Float.self, index, threads: 1, bound: 1e-5)
        try convolution(Float.self, index, threads: 2, bound: 1e-5)
        try convolution(BFloat16.self, index, threads: 1, bound: 6e-3)
    }

    @Test(arguments: cases.indices.filter { cases[$0].kernel == 3 }, PoolPadding.allCases)
    func averages(index: Int, divisor: PoolPadding) throws {
        let (kernel, stride, size, channels) = Self.cases[index]
        let padding = SamePadding(kernel: kernel, stride: stride)
        let pooling = SameAveragePooling<Float>(padding, divisor: divisor)
        let input = Shape(Self.images, size, size + 1, channels)
        let output = pooling.outputShape(input)
        let subject = Subject<Float>(
            layout: ParameterLayout(), input: input, output: output, threads: 1
        ) { pooling.plan(input: input, in: $0) }
        let pass = subject.pass(threads: 1)
        pooling.forward(Activation(final: subject.input), into: subject.output, pass: pass)
        pooling.backward(subject.upstream, sink: GradientSink(subject.gradient), pass: pass)
        var counts = [Double](repeating: 0, count: output.rows)
        Self.forEachTap(padding, input, output) { row, _, _ in counts[row] += 1 }
        if divisor == .zeros { counts = counts.map { _ in 9 } }
        var sums = [Double](repeating: 0, count: output.count)
        var gradient = [Double](repeating: 0, count: input.count)
        Self.forEachTap(padding, input, output) { row, pixel, _ in
            for channel in 0..<channels {
                let (o, i) = (row * channels + channel, pixel * channels + channel)
                sums[o] += Double(subject.input.pointer[i]) / counts[row]
                gradient[i] += Double(subject.upstream.pointer[o]) / counts[row]
            }
        }
        #expect(Self.isClose(subject.output.elements(), sums, 1e-5))
        #expect(Self.isClose(subject.gradient.elements(), gradient, 1e-5))
    }

    @Test(arguments: cases.indices.filter { cases[$0].kernel == 3 })
    func takesTheLargest(index: Int) throws {
        let (kernel, stride, size, channels) = Self.cases[index]
        let padding = SamePadding(kernel: kernel, stride: stride)
        let pooling = MaxPooling<Float>(padding)
        let input = Shape(Self.images, size, size + 1, channels)
        let output = pooling.outputShape(input)
        let subject = Subject<Float>(
            layout: ParameterLayout(), input: input, output: output, threads: 1
        ) { pooling.plan(input: input, in: $0) }
        // Negative everywhere: zeros beyond the border would be the largest.
        for index in 0..<input.count { subject.input.pointer[index] -= 3 }
        let pass = subject.pass(threads: 1)
        let read = Activation(final: subject.input)
        pooling.forward(read, into: subject.output, pass: pass)
        // What another reader has left is added to.
        for index in 0..<input.count { subject.gradient.pointer[index] = 0.5 }
        pooling.backward(
            subject.upstream, input: read,
            sink: GradientSink(subject.gradient, accumulates: true), pass: pass)
        var best = [Double](repeating: -.infinity, count: output.count)
        var place = [Int](repeating: 0, count: output.count)
        Self.forEachTap(padding, input, output) { row, pixel, _ in
            for channel in 0..<channels {
                let value = Double(subject.input.pointer[pixel * channels + channel])
                if value > best[row * channels + channel] {
                    best[row * channels + channel] = value
                    place[row * channels + channel] = pixel * channels + channel
                }
            }
        }
        var gradient = [Double](repeating: 0.5, count: input.count)
        for (o, i) in place.enumerated() { gradient[i] += Double(subject.upstream.pointer[o]) }
        #expect(subject.output.elements().map { Double($0) } == best)
        #expect(Self.isClose(subject.gradient.elements(), gradient, 1e-6))
    }
}
