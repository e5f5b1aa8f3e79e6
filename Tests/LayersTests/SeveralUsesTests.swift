import Synchronization
import Tensors
import Testing

@testable import Layers

/// A layer that a step uses several times: its parameters' gradients are the sums of what each use
/// alone comes to, its inputs' gradients those of each use, and each parameter is complete once.
@Suite struct SeveralUsesTests {
    private static let images = 4
    private static let shards = [0..<2, 2..<3, 3..<4]
    private static let useCount = 3

    /// Notes which gradients were complete.
    private final class Completions: SumReducer {
        let ranges = Mutex<[Range<Int>]>([])
        func sum(_ values: UnsafeMutableBufferPointer<Double>) {}
        func complete(_ gradients: Range<Int>) { ranges.withLock { $0.append(gradients) } }
    }

    /// What a layer under test has in memory, one entry a use.
    private struct Subject {
        /// Filled before each run.
        var inputs: [Tensor<Float>] = []
        var upstream: [Tensor<Float>] = []
        /// Left by each run.
        var inputGradients: [Tensor<Float>] = []
        /// Forward and backward of some uses.
        var run: (_ uses: [Int], Pass) throws -> Void = { _, _ in }
    }

    private static func fill(_ tensor: Tensor<Float>, _ stream: Int) {
        var random = CounterRandom(seed: 7, purpose: .scene, stream: UInt64(stream))
        for index in 0..<tensor.shape.count {
            tensor.pointer[index] = Float(random.uniform() - 0.4)
        }
    }

    private static func tensors(_ shape: Shape, in workspace: Workspace) -> [Tensor<Float>] {
        (0..<useCount).map { _ in Tensor(shape, in: workspace.arena) }
    }

    /// Runs a layer on each use alone and on all together, in chunks of one use and joined ones.
    private static func check(
        _ layout: ParameterLayout, _ plan: (Workspace) -> Subject
    ) throws {
        for joins in [false, true] {
            let workspace = Workspace(
                imageCapacity: images, shardCapacity: shards.count, keepsActivations: true,
                joinsChunks: joins)
            let subject = plan(workspace)
            workspace.commit(threadCount: 2)
            let store = ParameterStore(layout: layout, seed: 3)
            for parameter in layout.parameters where !parameter.decays {
                var random = CounterRandom(
                    seed: 1, purpose: .scene, index: UInt64(parameter.index))
                for index in 0..<parameter.count {
                    store.values(parameter)[index] += Float(random.uniform() - 0.5)
                }
            }
            let completions = Completions()
            let pass = Pass(
                pool: ThreadPool(threadCount: 2), reducer: completions, store: store,
                workspace: workspace, shards: shards, globalImageCount: images)
            func run(_ uses: [Int]) throws -> [Double] {
                for (number, tensor) in (subject.inputs + subject.upstream).enumerated() {
                    fill(tensor, number)
                }
                completions.ranges.withLock { $0 = [] }
                store.allGradients.update(repeating: .nan)
                try subject.run(uses, pass)
                return store.allGradients.map { Double($0) }
            }
            var sums = [Double](repeating: 0, count: layout.trainableCount)
            var inputGradients: [[Float]] = []
            for use in 0..<useCount {
                for (index, value) in try run([use]).enumerated() { sums[index] += value }
                inputGradients.append(subject.inputGradients[use].elements())
            }
            let found = try run(Array(0..<useCount))
            let scale = sums.map(abs).max() ?? 0
            #expect(scale > 0.01)
            let worst = zip(found, sums).map { $0.isNaN ? .infinity : abs($0 - $1) }.max() ?? 0
            #expect(worst <= 2e-5 * scale, "\(joins)")
            for (tensor, expected) in zip(subject.inputGradients, inputGradients) {
                let scale = expected.map(abs).max() ?? 0
                #expect(scale > 1e-3)
                #expect(
                    zip(tensor.elements(), expected).allSatisfy { abs($0 - $1) <= 1e-5 * scale })
            }
            let ranges = completions.ranges.withLock { $0 }
            let expected = layout.parameters.map { store.range($0) }
            func first(_ range: Range<Int>) -> Int { range.lowerBound }
            #expect(
                ranges.sorted { first($0) < first($1) }
                    == expected.sorted { first($0) < first($1) })
        }
    }

    /// Convolutions of all forms.
    @Test(arguments: [
        (PatchGeometry(kernel: 1), 5, 6), (PatchGeometry(kernel: 3, stride: 2, offset: -1), 4, 5),
        (PatchGeometry(kernel: 3, offset: -1), 64, 64),
    ])
    func convolutions(geometry: PatchGeometry, inputs: Int, outputs: Int) throws {
        var layout = ParameterLayout()
        let layer = Convolution<Float>(
            "layer", inputChannels: inputs, outputChannels: outputs, geometry: geometry,
            layout: &layout)
        let shape = Shape(Self.images, 5, 5, inputs)
        try Self.check(layout) { workspace in
            layer.plan(input: shape, in: workspace)
            var subject = Subject()
            subject.inputs = Self.tensors(shape, in: workspace)
            subject.upstream = Self.tensors(layer.outputShape(shape), in: workspace)
            subject.inputGradients = Self.tensors(shape, in: workspace)
            let planned = subject
            subject.run = { uses, pass in
                layer.backward(
                    uses.map {
                        .init(
                            GradientSource(stored: planned.upstream[$0]),
                            input: Activation(final: planned.inputs[$0]),
                            sink: GradientSink(planned.inputGradients[$0]))
                    }, pass: pass)
            }
            return subject
        }
    }

    /// A matrix with two inputs, bias and gradients in two passes: of inputs, then of parameters.
    @Test(arguments: [(6, 8), (600, 4096)])
    func recurrentProducts(inputs: Int, outputs: Int) throws {
        var layout = ParameterLayout()
        let layer = PointwiseConvolution<Float>(
            "layer", inputChannels: [inputs, 3], outputChannels: outputs, bias: true,
            isRecurrent: true, layout: &layout)
        // The larger one's gradient is summed in several blocks.
        #expect((layer.blockRows < inputs) == (inputs == 600))
        try Self.check(layout) { workspace in
            layer.plan(in: workspace)
            let shape = Shape(Self.images, 1, 1, inputs)
            var subject = Subject()
            subject.inputs = Self.tensors(shape, in: workspace)
            subject.upstream = Self.tensors(Shape(Self.images, 1, 1, outputs), in: workspace)
            subject.inputGradients = Self.tensors(shape, in: workspace)
            let second = Tensor<Float>(Shape(Self.images, 1, 1, 3), in: workspace.arena)
            let planned = subject
            subject.run = { uses, pass in
                Self.fill(second, 99)
                let uses = uses.map { use in
                    // The first use has no second input.
                    let inputs = [planned.inputs[use]] + (use == 0 ? [] : [second])
                    return PointwiseConvolution<Float>.Use(
                        GradientSource(stored: planned.upstream[use]),
                        inputs: inputs.map { Activation(final: $0) },
                        sinks: [GradientSink(planned.inputGradients[use])] + (use == 0 ? [] : [nil])
                    )
                }
                for use in uses { layer.backwardInputs(use, pass: pass) }
                layer.backwardParameters(uses, pass: pass)
            }
            return subject
        }
    }

    /// A block with its norms, each use with its own batch's statistics: projected, with a strided
    /// identity, and both published styles.
    @Test(arguments: [
        (PreActivationBottleneck<Float>.Style.plain, 4, 1), (.plain, 8, 2), (.slim, 4, 1),
        (.slim, 8, 1), (.slim, 8, 2), (.slim, 4, 2),
    ])
    func blocks(style: PreActivationBottleneck<Float>.Style, inputs: Int, stride: Int) throws {
        var layout = ParameterLayout()
        let layer = PreActivationBottleneck<Float>(
            "block", inputChannels: inputs, planes: 4, stride: stride, expansion: 2, mapSize: 5,
            style: style, norms: BatchNormConfiguration(), layout: &layout)
        let shape = Shape(Self.images, 5, 5, inputs)
        // A projection stands where channels change and, in the plain style, with a stride.
        let projects = inputs != 8 || (style == .plain && stride > 1)
        #expect(layout.parameters.contains { $0.path.contains("shortcut") } == projects)
        try Self.check(layout) { workspace in
            var subject = Subject()
            subject.inputs = Self.tensors(shape, in: workspace)
            let zero = Tensor<Float>(shape, in: workspace.arena)
            let buffers = subject.inputs.map {
                layer.plan(input: $0, after: nil, in: workspace)
            }
            let next = NormBuffers(channels: 8, in: workspace)
            subject.upstream = Self.tensors(buffers[0].output.shape, in: workspace)
            let gradients = layer.planBackward(
                zip(buffers, subject.upstream).map { ($0, $1) }, in: workspace)
            subject.inputGradients = gradients.map(\.input)
            let planned = subject
            subject.run = { uses, pass in
                zero.pointer.update(repeating: 0, count: zero.shape.count)
                for use in uses {
                    // Whoever writes the input gathers the moments of the norm that reads it.
                    planned.inputs[use].add(
                        zero, momentsOf: buffers[use].input.norm, pass: pass)
                    try layer.forward(
                        buffers[use], momentsOf: next, mode: .training, pass: pass)
                }
                try layer.backward(uses.map { (buffers[$0], gradients[$0]) }, pass: pass)
            }
            return subject
        }
    }

    /// Weights are packed once while memory is lent, and again where it has no room.
    @Test func keptWeightsStay() {
        var layout = ParameterLayout()
        let parameters = (0..<2).map {
            layout.parameter("\($0)", shape: [4], decays: true, initial: .constant(0))
        }
        let kept = KeptWeights()
        #expect(kept.place(of: parameters[0], transposed: false, byteCount: 64) == nil)
        withUnsafeTemporaryAllocation(byteCount: 300, alignment: 64) { memory in
            kept.start(in: memory)
            let first = kept.place(of: parameters[0], transposed: false, byteCount: 100)
            let second = kept.place(of: parameters[0], transposed: true, byteCount: 100)
            let again = kept.place(of: parameters[0], transposed: false, byteCount: 100)
            #expect(first?.storage == memory.baseAddress && first?.isFilled == false)
            #expect(second?.storage == memory.baseAddress.map { $0 + 128 })
            #expect(again?.storage == first?.storage && again?.isFilled == true)
            #expect(kept.place(of: parameters[1], transposed: false, byteCount: 100) == nil)
            #expect(kept.place(of: parameters[1], transposed: false, byteCount: 44) != nil)
            kept.start(in: memory)
            let anew = kept.place(of: parameters[0], transposed: false, byteCount: 100)
            #expect(anew?.isFilled == false)
            kept.stop()
            #expect(kept.place(of: parameters[0], transposed: false, byteCount: 100) == nil)
        }
    }

    /// Truncated normal and uniform numbers have their limits, means and deviations.
    @Test func initialValues() {
        var layout = ParameterLayout()
        let he = layout.parameter(
            "he", shape: [20_001], decays: true, initial: .truncatedHe(inputs: 26))
        let glorot = layout.parameter(
            "glorot", shape: [20_001], decays: true, initial: .glorot(rows: 20, columns: 4))
        let store = ParameterStore(layout: layout, seed: 4)
        func moments(_ parameter: Parameter) -> (
            least: Float, most: Float, mean: Float, deviation: Float
        ) {
            let values = UnsafeBufferPointer(
                start: store.values(parameter), count: parameter.count)
            let mean = values.reduce(0, +) / Float(values.count)
            let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(values.count)
            return (values.min() ?? 0, values.max() ?? 0, mean, square.squareRoot())
        }
        // Before truncation √(2.6/26) = 0.316, after it 0.8796 of that.
        let normal = moments(he)
        #expect(normal.least >= -0.6325 && normal.least < -0.62)
        #expect(normal.most <= 0.6325 && normal.most > 0.62)
        #expect(abs(normal.mean) < 0.01 && abs(normal.deviation - 0.2782) < 0.005)
        // ±√(6/24) = ±0.5, deviation 0.5/√3.
        let uniform = moments(glorot)
        #expect(uniform.least >= -0.5 && uniform.least < -0.499)
        #expect(uniform.most <= 0.5 && uniform.most > 0.499)
        #expect(abs(uniform.mean) < 0.01 && abs(uniform.deviation - 0.2887) < 0.005)
    }
}
