import Layers
import Models
import SaccaderModel
import Tensors

/// SGD with Nesterov momentum on the parameters that a stage trains, and their L2 terms.
///
///     v ← μ·v + g        θ ← θ − rate·(g + μ·v)
///
/// g includes the gradient of the L2 term, (λ/2)·Σθ² over kernels and a (eq. 4–6).
final class Optimizer: Sendable {
    /// The parameters in training, in the order of the flat buffer.
    let parameters: [Parameter]
    /// Their part of the flat buffer.
    let range: Range<Int>
    private let momentum: Float
    private let decay: [Float]
    private let arena = Arena()
    private let velocityTensor: Tensor<Float>

    /// Chooses the stage's parameters; the momentum starts at 0.
    init(stage: StageName, settings: StageConfiguration, store: ParameterStore) {
        parameters = store.layout.parameters.reversed().filter { Self.trains($0, in: stage) }
        decay = parameters.map {
            guard $0.decays else { return 0 }
            return Float(Self.isLocation($0) ? settings.l2Location : settings.l2)
        }
        let ranges = parameters.map { store.range($0) }
        range = (ranges.first?.lowerBound ?? 0)..<(ranges.last?.upperBound ?? 0)
        momentum = Float(settings.momentum)
        velocityTensor = Tensor(vector: range.count, in: arena)
        arena.commit()
    }

    /// Whether a stage trains a parameter.
    static func trains(_ parameter: Parameter, in stage: StageName) -> Bool {
        let isRepresentation = parameter.path.hasPrefix("representation/")
        return switch stage {
        case .representation: isRepresentation
        case .location: !isRepresentation
        case .joint, .classifier: true
        }
    }

    /// Whether a parameter belongs to attention, mixing or cell, which have an L2 term of their own.
    static func isLocation(_ parameter: Parameter) -> Bool {
        !["representation/", "classifier/"].contains { parameter.path.hasPrefix($0) }
    }

    /// The momentum of a parameter.
    func velocity(_ parameter: Parameter, store: ParameterStore) -> UnsafeMutablePointer<Float> {
        velocityTensor.pointer + store.range(parameter).lowerBound - range.lowerBound
    }

    /// The L2 terms of the loss.
    struct Penalty: Sendable {
        /// (λ/2)·Σθ² over the representation network or the classifier.
        var representation = 0.0
        /// (ν/2)·Σθ² over attention, mixing and cell.
        var location = 0.0
    }

    /// Adds λθ to the gradients, which are sums over all ranks by now, and returns the terms.
    func addDecay(store: ParameterStore) -> Penalty {
        var penalty = Penalty()
        for (parameter, factor) in zip(parameters, decay) where factor != 0 {
            let sum = VectorKernels.addScaled(
                store.values(parameter), by: factor, to: store.gradient(parameter),
                count: parameter.count)
            if Self.isLocation(parameter) {
                penalty.location += 0.5 * Double(factor) * sum
            } else {
                penalty.representation += 0.5 * Double(factor) * sum
            }
        }
        return penalty
    }

    /// √Σg² over the parameters in training; not finite where any gradient is not.
    func gradientNorm(store: ParameterStore) -> Double {
        guard let gradients = store.allGradients.baseAddress else { return 0 }
        return VectorKernels.sumOfSquares(gradients + range.lowerBound, count: range.count)
            .squareRoot()
    }

    /// Updates the parameters at the given learning rate.
    func update(store: ParameterStore, learningRate: Double, pool: ThreadPool) {
        let rate = Float(learningRate)
        let first = range.lowerBound
        guard let values = store.allValues.baseAddress,
            let gradients = store.allGradients.baseAddress
        else { return }
        let velocity = velocityTensor.pointer
        pool.runRanges(range.count) { part in
            for index in part {
                let gradient = gradients[first + index]
                let next = momentum * velocity[index] + gradient
                velocity[index] = next
                values[first + index] -= rate * (gradient + momentum * next)
            }
        }
    }
}
