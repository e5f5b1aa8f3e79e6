import Foundation
import Layers
import Tensors

/// The mean of the next place from the location cell's output: `m = s·tanh(h·W + b)`, (y, x).
///
/// It computes in single precision throughout: places are not activations that may be rounded.
struct Emission: Sendable {
    private let kernel: Parameter
    private let bias: Parameter
    private let inputs: Int
    private let limit: Float

    /// Coordinates of a place.
    private static let axes = 2

    /// Registers `kernel` `[1, 1, inputs, 2]` and `bias` `[2]` below `path`.
    ///
    /// - Parameter limit: s.
    init(_ path: String, inputs: Int, limit: Float, layout: inout ParameterLayout) {
        kernel = layout.parameter(
            "\(path)/kernel", shape: [1, 1, inputs, Self.axes], decays: true,
            initial: .glorot(rows: inputs, columns: Self.axes))
        bias = layout.parameter(
            "\(path)/bias", shape: [Self.axes], decays: false, initial: .constant(0))
        (self.inputs, self.limit) = (inputs, limit)
    }

    /// Reserves the means, `[N, 1, 1, 2]`.
    func plan(in workspace: Workspace) -> Tensor<Float> {
        workspace.needScratch(2 * inputs)
        if workspace.keepsActivations { workspace.needPartials(kernel.count + bias.count) }
        return Tensor(Shape(workspace.imageCapacity, 1, 1, Self.axes), in: workspace.arena)
    }

    /// Fills the means.
    func forward<Element: StorageElement>(
        _ input: Tensor<Element>, into means: Tensor<Float>, pass: Pass
    ) {
        let (weights, biases) = (pass.store.values(kernel), pass.store.values(bias))
        pass.forEachShard { _, images, scratch in
            for image in images {
                let row = Activation(final: input).rows(image..<(image + 1), scratch: scratch)
                for axis in 0..<Self.axes {
                    var sum = 0.0
                    for index in 0..<inputs {
                        sum += Double(row[index]) * Double(weights[Self.axes * index + axis])
                    }
                    means.row(image)[axis] = limit * tanh(Float(sum) + biases[axis])
                }
            }
        }
    }

    /// One use of the emission in a step.
    struct Use<Element: StorageElement> {
        /// What forward read.
        let input: Tensor<Element>
        let means: Tensor<Float>
        /// The gradient of the means; overwritten with that before the tanh.
        let gradient: Tensor<Float>
        /// The gradient of the input, overwritten; nil where it is not wanted.
        let inputGradient: Tensor<Element>?
    }

    /// The gradients of kernel and bias, summed over all uses, and of each use's input.
    ///
    /// - Parameter isTrained: Whether those of kernel and bias are wanted.
    func backward<Element: StorageElement>(
        _ uses: [Use<Element>], isTrained: Bool = true, pass: Pass
    ) {
        guard isTrained else {
            return pass.forEachShard { _, images, scratch in
                for use in uses {
                    for image in images {
                        squash(use, image)
                        differentiate(use, image, result: scratch)
                    }
                }
            }
        }
        pass.sumOverShards(into: [kernel, bias]) { _, images, scratch, partial in
            partial.update(repeating: 0, count: bias.count + kernel.count)
            let kernelPartial = partial + bias.count
            for use in uses {
                for image in images {
                    let gradient = squash(use, image)
                    for axis in 0..<Self.axes { partial[axis] += gradient[axis] }
                    let row = Activation(final: use.input).rows(
                        image..<(image + 1), scratch: scratch)
                    for index in 0..<inputs {
                        for axis in 0..<Self.axes {
                            kernelPartial[Self.axes * index + axis] += row[index] * gradient[axis]
                        }
                    }
                    differentiate(use, image, result: scratch + inputs)
                }
            }
        }

        /// The gradient before the tanh: of m = s·tanh(y), dm/dy = s·(1 − (m/s)²).
        @discardableResult
        func squash(_ use: Use<Element>, _ image: Int) -> UnsafeMutablePointer<Float> {
            let (gradient, mean) = (use.gradient.row(image), use.means.row(image))
            for axis in 0..<Self.axes {
                let squashed = limit > 0 ? mean[axis] / limit : 0
                gradient[axis] *= limit * (1 - squashed * squashed)
            }
            return gradient
        }

        /// The gradient of the input.
        func differentiate(
            _ use: Use<Element>, _ image: Int, result: UnsafeMutablePointer<Float>
        ) {
            guard let target = use.inputGradient else { return }
            let (gradient, weights) = (use.gradient.row(image), pass.store.values(kernel))
            for index in 0..<inputs {
                result[index] = 0
                for axis in 0..<Self.axes {
                    result[index] += weights[Self.axes * index + axis] * gradient[axis]
                }
            }
            RowKernels.store(result, count: inputs, into: target.row(image))
        }
    }
}
