import Foundation
import Layers
import Tensors
import Testing

@testable import DRAMModel

/// A sequence of cells and the emission after it, against central differences of the same in
/// double precision.
@Suite struct CellTests {
    private static let (images, inputs, units, steps) = (3, 4, 5, 3)
    private static let limit: Float = 0.6

    /// The reference: everything by name, loops only.
    private struct Reference {
        var kernel: [Double]
        var bias: [Double]
        var emission: [Double]
        var emissionBias: [Double]
        /// `[steps][images][inputs]`.
        var input: [[[Double]]]

        /// Σ over steps and images of 0.3·Σ h² + Σ (m − 0.1)².
        var loss: Double {
            func sigmoid(_ value: Double) -> Double { 1 / (1 + exp(-value)) }
            let (inputs, units) = (CellTests.inputs, CellTests.units)
            var loss = 0.0
            for image in 0..<CellTests.images {
                var output = [Double](repeating: 0, count: units)
                var memory = output
                for step in 0..<CellTests.steps {
                    let values = input[step][image] + output
                    let gates = (0..<(4 * units)).map { gate in
                        values.indices.reduce(bias[gate]) {
                            $0 + values[$1] * kernel[$1 * 4 * units + gate]
                        }
                    }
                    for unit in 0..<units {
                        memory[unit] =
                            sigmoid(gates[2 * units + unit] + 1) * memory[unit]
                            + sigmoid(gates[unit]) * tanh(gates[units + unit])
                        output[unit] = sigmoid(gates[3 * units + unit]) * tanh(memory[unit])
                    }
                    loss += output.reduce(0) { $0 + 0.3 * $1 * $1 }
                    for axis in 0..<2 {
                        let sum = output.indices.reduce(emissionBias[axis]) {
                            $0 + output[$1] * emission[2 * $1 + axis]
                        }
                        let mean = Double(CellTests.limit) * tanh(sum)
                        loss += (mean - 0.1) * (mean - 0.1)
                    }
                }
            }
            precondition(inputs == input[0][0].count)
            return loss
        }
    }

    @Test(arguments: [[0..<3], [0..<1, 1..<3]])
    func gradientsAreTheDifferences(shards: [Range<Int>]) throws {
        let (images, inputs, units) = (Self.images, Self.inputs, Self.units)
        var layout = ParameterLayout()
        let cell = LSTMCell<Float>("cell", inputs: inputs, units: units, layout: &layout)
        let emission = Emission("emission", inputs: units, limit: Self.limit, layout: &layout)
        let store = ParameterStore(layout: layout, seed: 2)
        var random = CounterRandom(seed: 5, purpose: .scene)
        for parameter in layout.parameters {
            for index in 0..<parameter.count {
                store.values(parameter)[index] = Float(random.uniform() * 2 - 1)
            }
        }
        let workspace = Workspace(
            imageCapacity: images, shardCapacity: 2, keepsActivations: true, joinsChunks: true)
        let arena = workspace.arena
        func tensors(_ width: Int) -> [Tensor<Float>] {
            (0..<Self.steps).map { _ in Tensor(Shape(images, 1, 1, width), in: arena) }
        }
        let (input, inputGradients, outputGradients) = (
            tensors(inputs), tensors(inputs), tensors(units)
        )
        let states = (0..<Self.steps).map { _ in cell.plan(in: workspace) }
        let means = (0..<Self.steps).map { _ in emission.plan(in: workspace) }
        let (meanGradients, throughEmission) = (tensors(2), tensors(units))
        let gradients = (0..<Self.steps).map { _ in cell.planBackward(in: workspace) }
        let carried = cell.planCarried(in: workspace)
        workspace.commit(threadCount: 2)
        workspace.allocate()
        for step in input {
            for index in 0..<(images * inputs) {
                step.pointer[index] = Float(random.uniform() * 2 - 1)
            }
        }
        let ranks = LocalRanks(count: 1)
        let reducer = LocalRanks.Rank(ranks, number: 0)
        let pass = Pass(
            pool: ThreadPool(threadCount: 2), reducer: reducer, store: store,
            workspace: workspace, shards: shards, globalImageCount: images)
        for step in 0..<Self.steps {
            cell.forward(
                states[step], input: input[step], after: step > 0 ? states[step - 1] : nil,
                pass: pass)
            emission.forward(states[step].output, into: means[step], pass: pass)
            for index in 0..<(images * units) {
                outputGradients[step].pointer[index] = 0.6 * states[step].output.pointer[index]
            }
            for index in 0..<(images * 2) {
                meanGradients[step].pointer[index] = 2 * (means[step].pointer[index] - 0.1)
            }
        }
        emission.backward(
            (0..<Self.steps).map {
                Emission.Use(
                    input: states[$0].output, means: means[$0], gradient: meanGradients[$0],
                    inputGradient: throughEmission[$0])
            }, pass: pass)
        for step in (0..<Self.steps).reversed() {
            cell.backward(
                states[step], gradients[step], input: input[step],
                after: step > 0 ? states[step - 1] : nil,
                outputs: [outputGradients[step], throughEmission[step]], carried: carried,
                isLast: step == Self.steps - 1, sink: GradientSink(inputGradients[step]),
                pass: pass)
        }
        cell.backwardParameters(
            (0..<Self.steps).map {
                .init(
                    gradients: gradients[$0], input: input[$0],
                    previous: $0 > 0 ? states[$0 - 1] : nil)
            }, pass: pass)
        #expect(reducer.completed.map(\.count).reduce(0, +) == layout.trainableCount)
        #expect(reducer.completed.count == layout.parameters.count)

        func doubles(_ path: String) -> [Double] {
            layout.parameters.filter { $0.path == path }.flatMap { parameter in
                (0..<parameter.count).map { Double(store.values(parameter)[$0]) }
            }
        }
        func found(_ path: String) -> [Double] {
            layout.parameters.filter { $0.path == path }.flatMap { parameter in
                (0..<parameter.count).map { Double(store.gradient(parameter)[$0]) }
            }
        }
        var reference = Reference(
            kernel: doubles("cell/kernel"), bias: doubles("cell/bias"),
            emission: doubles("emission/kernel"), emissionBias: doubles("emission/bias"),
            input: input.map { step in
                (0..<images).map { image in
                    (0..<inputs).map { Double(step.row(image)[$0]) }
                }
            })
        func check(
            _ path: WritableKeyPath<Reference, [Double]>, _ gradient: [Double], _ name: String
        ) {
            let values = reference[keyPath: path]
            #expect(values.count == gradient.count && !values.isEmpty)
            for index in values.indices {
                reference[keyPath: path][index] = values[index] + 1e-5
                let above = reference.loss
                reference[keyPath: path][index] = values[index] - 1e-5
                let below = reference.loss
                reference[keyPath: path][index] = values[index]
                let expected = (above - below) / 2e-5
                #expect(abs(gradient[index] - expected) < 2e-5, "\(name)[\(index)]")
            }
        }
        check(\.kernel, found("cell/kernel"), "kernel")
        check(\.bias, found("cell/bias"), "bias")
        check(\.emission, found("emission/kernel"), "emission")
        check(\.emissionBias, found("emission/bias"), "emission bias")
        for step in 0..<Self.steps {
            for image in 0..<images {
                check(
                    \.input[step][image],
                    (0..<inputs).map { Double(inputGradients[step].row(image)[$0]) }, "input")
            }
        }
    }
}
