import Foundation
import Layers
import Tensors

/// A long short-term memory cell:
///
///     [i|j|f|o] = [input, h]·W + b
///     memory := σ(f + 1)·memory + σ(i)·tanh(j)        h := σ(o)·tanh(memory)
///
/// Source: Hochreiter and Schmidhuber, Neural Computation 1997, with a forget gate; the 1 keeps the
/// memory at the start of training and is no part of b.
struct LSTMCell<Element: StorageElement>: Sendable {
    private let product: PointwiseConvolution<Element>
    let units: Int

    /// Gates of a unit: i, j, f, o.
    private static var gateCount: Int { 4 }
    private static var forgetShift: Float { 1 }

    /// Registers `kernel` `[1, 1, inputs + units, 4·units]`, the input's rows first, and `bias`
    /// `[4·units]` below `path`.
    init(_ path: String, inputs: Int, units: Int, layout: inout ParameterLayout) {
        self.units = units
        product = PointwiseConvolution(
            path, inputChannels: [inputs, units], outputChannels: Self.gateCount * units,
            bias: true, isRecurrent: true,
            initial: .glorot(rows: inputs + units, columns: Self.gateCount * units),
            layout: &layout)
    }

    /// What one step of the cell leaves behind.
    struct Buffers: Sendable {
        /// i, j, f, o before their functions, `[N, 1, 1, 4u]`.
        let gates: Tensor<Element>
        /// `[N, 1, 1, u]`.
        let memory: Tensor<Float>
        /// h, `[N, 1, 1, u]`.
        let output: Tensor<Element>
    }

    func plan(in workspace: Workspace) -> Buffers {
        product.plan(in: workspace)
        workspace.needScratch(2 * Self.gateCount * units)
        let images = workspace.imageCapacity
        return Buffers(
            gates: Tensor(Shape(images, 1, 1, Self.gateCount * units), in: workspace.arena),
            memory: Tensor(Shape(images, 1, 1, units), in: workspace.arena),
            output: Tensor(Shape(images, 1, 1, units), in: workspace.arena))
    }

    /// What the product of a step reads: the input and, where there was a step before, its output.
    private func inputs(
        _ input: Tensor<Element>, after previous: Buffers?
    ) -> [Activation<Element>] {
        [Activation(final: input)] + (previous.map { [Activation(final: $0.output)] } ?? [])
    }

    /// One step.
    ///
    /// - Parameters:
    ///   - input: `[N, 1, 1, inputs]`.
    ///   - previous: The step before, whose memory and output go on; nil: both are 0.
    func forward(
        _ buffers: Buffers, input: Tensor<Element>, after previous: Buffers?, pass: Pass
    ) {
        product.forward(inputs(input, after: previous), into: buffers.gates, pass: pass)
        pass.forEachShard { _, images, scratch in
            let output = scratch + Self.gateCount * units
            for image in images {
                let gates = Gates(buffers.gates, image, units: units, scratch: scratch)
                let memory = buffers.memory.row(image)
                let old = previous?.memory.row(image)
                for unit in 0..<units {
                    let (i, j, f, o) = gates.values(unit)
                    memory[unit] = f * (old?[unit] ?? 0) + i * j
                    output[unit] = o * tanh(memory[unit])
                }
                RowKernels.store(output, count: units, into: buffers.output.row(image))
            }
        }
    }

    /// The gates of one image.
    private struct Gates {
        private let rows: UnsafeMutablePointer<Float>
        private let units: Int

        init(
            _ gates: Tensor<Element>, _ image: Int, units: Int,
            scratch: UnsafeMutablePointer<Float>
        ) {
            rows = Activation(final: gates).rows(image..<(image + 1), scratch: scratch)
            self.units = units
        }

        /// σ(i), tanh(j), σ(f + 1) and σ(o) of a unit.
        func values(_ unit: Int) -> (Float, Float, Float, Float) {
            (
                LSTMCell.sigmoid(rows[unit]), tanh(rows[units + unit]),
                LSTMCell.sigmoid(rows[2 * units + unit] + LSTMCell.forgetShift),
                LSTMCell.sigmoid(rows[3 * units + unit])
            )
        }
    }

    private static func sigmoid(_ value: Float) -> Float { 1 / (1 + exp(-value)) }

    /// Where the gradients of one step lie during a backward pass.
    struct Gradients: Sendable {
        /// The gradient of the gates, `[N, 1, 1, 4u]`.
        let gates: Tensor<Element>
    }

    func planBackward(in workspace: Workspace) -> Gradients {
        Gradients(
            gates: Tensor(
                Shape(workspace.imageCapacity, 1, 1, Self.gateCount * units),
                in: workspace.arena))
    }

    /// What goes back from step to step, where a sequence's gradients meet.
    struct Carried: Sendable {
        /// The gradient of the memory, `[N, 1, 1, u]`.
        let memory: Tensor<Float>
        /// The gradient of the output, through the step that follows, `[N, 1, 1, u]`.
        let output: Tensor<Element>
    }

    func planCarried(in workspace: Workspace) -> Carried {
        let shape = Shape(workspace.imageCapacity, 1, 1, units)
        return Carried(
            memory: Tensor(shape, in: workspace.arena), output: Tensor(shape, in: workspace.arena))
    }

    /// The gradients of a step's gates, of its input and, in `carried`, of the step before.
    ///
    /// - Parameters:
    ///   - input: What forward read.
    ///   - previous: The step before, as in forward.
    ///   - outputs: The gradients of the output that its other readers have left.
    ///   - carried: What the step that follows has left; overwritten for the step before.
    ///   - isLast: Whether no step follows, so that nothing has been carried yet.
    ///   - sink: Where the input's gradient goes; nil where none is wanted.
    func backward(
        _ buffers: Buffers, _ gradients: Gradients, input: Tensor<Element>,
        after previous: Buffers?, outputs: [Tensor<Element>], carried: Carried, isLast: Bool,
        sink: GradientSink<Element>?, pass: Pass
    ) {
        let readers = outputs + (isLast ? [] : [carried.output])
        pass.forEachShard { _, images, scratch in
            let result = scratch + Self.gateCount * units
            for image in images {
                let gates = Gates(buffers.gates, image, units: units, scratch: scratch)
                let old = previous?.memory.row(image)
                let memoryGradient = carried.memory.row(image)
                if isLast { memoryGradient.update(repeating: 0, count: units) }
                for unit in 0..<units {
                    let (i, j, f, o) = gates.values(unit)
                    // h = o·tanh(memory)
                    var outputGradient: Float = 0
                    for reader in readers { outputGradient += reader.row(image)[unit].widened }
                    let squashed = tanh(buffers.memory.row(image)[unit])
                    let inner =
                        memoryGradient[unit] + outputGradient * o * (1 - squashed * squashed)
                    // memory = f·memory + i·j
                    memoryGradient[unit] = inner * f
                    result[unit] = inner * j * i * (1 - i)
                    result[units + unit] = inner * i * (1 - j * j)
                    result[2 * units + unit] = inner * (old?[unit] ?? 0) * f * (1 - f)
                    result[3 * units + unit] = outputGradient * squashed * o * (1 - o)
                }
                RowKernels.store(
                    result, count: Self.gateCount * units, into: gradients.gates.row(image))
            }
        }
        let sinks = [sink] + (previous == nil ? [] : [GradientSink(carried.output)])
        guard sinks.contains(where: { $0 != nil }) else { return }
        product.backwardInputs(
            PointwiseConvolution.Use(
                GradientSource(stored: gradients.gates), inputs: inputs(input, after: previous),
                sinks: sinks), pass: pass)
    }

    /// One step, for the gradient of kernel and bias.
    struct Use {
        let gradients: Gradients
        let input: Tensor<Element>
        let previous: Buffers?
    }

    /// The gradients of kernel and bias, summed over all steps.
    func backwardParameters(_ uses: [Use], pass: Pass) {
        product.backwardParameters(
            uses.map { use in
                let inputs = inputs(use.input, after: use.previous)
                return PointwiseConvolution.Use(
                    GradientSource(stored: use.gradients.gates), inputs: inputs,
                    sinks: inputs.map { _ in nil })
            }, pass: pass)
    }
}
