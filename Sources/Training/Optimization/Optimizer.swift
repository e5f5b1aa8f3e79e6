import Families
import Layers
import Models
import Synchronization
import Tensors

/// SGD with Nesterov momentum on the parameters that a stage trains, and their L2 terms.
///
///     v ← μ·v + g        θ ← θ − rate·(g + μ·v)
///
/// g includes the gradient of the L2 term, (λ/2)·Σθ² over kernels and a (eq. 4–6).
final class Optimizer: Sendable {
    /// The parameters in training, in the order of the flat buffer.
    let parameters: [Parameter]
    /// The parameters' part of the flat buffer, from the first one to the last.
    let range: Range<Int>
    /// Runs of them in it: frozen parts lie between.
    let runs: [Range<Int>]
    private let momentum: Float
    /// 0: gradients stay as they are.
    private let gradientClip: Double
    private let decay: [Float]
    /// Runs of parameters that learn at the same factor of the learning rate.
    private let rates: [(range: Range<Int>, factor: Float)]
    private let arena = Arena()
    private let velocityTensor: Tensor<Float>

    /// Chooses the stage's parameters; the momentum starts at 0.
    init(stage: Stage, settings: any StageSettings, store: ParameterStore) {
        parameters = Self.parameters(of: stage, settings, in: store)
        decay = parameters.map { $0.decays ? Float(settings.l2(of: $0.group)) : 0 }
        let ranges = parameters.map { store.range($0) }
        range = Self.range(of: stage, settings, in: store)
        runs = Self.joined(ranges.map { ($0, 1) }).map(\.range)
        momentum = Float(settings.momentum)
        gradientClip = settings.gradientClip
        rates = Self.joined(
            zip(parameters, ranges).map {
                ($1, Float(settings.learningRateFactor(of: $0.group)))
            })
        velocityTensor = Tensor(vector: range.count, in: arena)
        arena.commit()
    }

    private static func parameters(
        of stage: Stage, _ settings: any StageSettings, in store: ParameterStore
    ) -> [Parameter] {
        store.layout.parameters.reversed().filter {
            stage.trains($0) && !settings.freezes($0.path)
        }
    }

    /// The part of the flat buffer that a stage trains.
    static func range(
        of stage: Stage, _ settings: any StageSettings, in store: ParameterStore
    ) -> Range<Int> {
        let ranges = parameters(of: stage, settings, in: store).map { store.range($0) }
        return (ranges.first?.lowerBound ?? 0)..<(ranges.last?.upperBound ?? 0)
    }

    /// The momentum of a parameter.
    func velocity(_ parameter: Parameter, store: ParameterStore) -> UnsafeMutablePointer<Float> {
        velocityTensor.pointer + store.range(parameter).lowerBound - range.lowerBound
    }

    /// The L2 terms of the loss, (l2/2)·Σθ² over each group of parameters.
    struct Penalty: Sendable {
        private var values: [ParameterGroup: Double] = [:]

        /// The term of a group; 0 where the stage does not train it.
        subscript(group: ParameterGroup) -> Double {
            get { values[group] ?? 0 }
            set { values[group] = newValue }
        }

        /// The terms of groups by name; groups of one name have one term.
        func terms(_ groups: [ParameterGroup]) -> [(name: String, value: Double)] {
            groups.reduce(into: []) { terms, group in
                if let index = terms.firstIndex(where: { $0.name == group.l2Name }) {
                    terms[index].value += self[group]
                } else {
                    terms.append((group.l2Name, self[group]))
                }
            }
        }
    }

    /// Adds λθ to the gradients, which are sums over all ranks by now, and returns the terms.
    func addDecay(store: ParameterStore) -> Penalty {
        var penalty = Penalty()
        for (parameter, factor) in zip(parameters, decay) where factor != 0 {
            let sum = VectorKernels.addScaled(
                store.values(parameter), by: factor, to: store.gradient(parameter),
                count: parameter.count)
            penalty[parameter.group] += 0.5 * Double(factor) * sum
        }
        return penalty
    }

    /// √Σg² over the parameters in training; not finite where any gradient is not.
    func gradientNorm(store: ParameterStore) -> Double {
        guard let gradients = store.allGradients.baseAddress else { return 0 }
        return runs.reduce(0) {
            $0 + VectorKernels.sumOfSquares(gradients + $1.lowerBound, count: $1.count)
        }.squareRoot()
    }

    /// Scales the gradients down to the settings' norm, as PyTorch's `clip_grad_norm_` does: by
    /// clip/(norm + 1e-6) where that is less than 1.
    ///
    /// - Parameter norm: Theirs, over all parameters in training.
    func clip(norm: Double, store: ParameterStore, pool: ThreadPool) {
        let factor = Float(min(1, gradientClip / (norm + 1e-6)))
        guard gradientClip > 0, factor < 1, let gradients = store.allGradients.baseAddress
        else { return }
        for run in runs {
            pool.runRanges(run.count) { part in
                for index in part { gradients[run.lowerBound + index] *= factor }
            }
        }
    }

    /// Updates the parameters at the given learning rate.
    ///
    /// - Returns: Whether all of them are finite afterwards.
    func update(store: ParameterStore, learningRate: Double, pool: ThreadPool) -> Bool {
        let rate = Float(learningRate)
        let first = range.lowerBound
        guard let values = store.allValues.baseAddress,
            let gradients = store.allGradients.baseAddress
        else { return true }
        let hasWrong = Atomic<Bool>(false)
        let velocity = velocityTensor.pointer
        for run in rates {
            let (start, rate) = (run.range.lowerBound - first, rate * run.factor)
            pool.runRanges(run.range.count) { part in
                var wrongCount: UInt32 = 0
                for index in part.lowerBound + start..<part.upperBound + start {
                    let gradient = gradients[first + index]
                    let next = momentum * velocity[index] + gradient
                    velocity[index] = next
                    let value = values[first + index] - rate * (gradient + momentum * next)
                    values[first + index] = value
                    // Infinities and NaN have all bits of the exponent set.
                    wrongCount |= value.bitPattern & 0x7F80_0000 == 0x7F80_0000 ? 1 : 0
                }
                if wrongCount != 0 { hasWrong.store(true, ordering: .relaxed) }
            }
        }
        return !hasWrong.load(ordering: .relaxed)
    }

    /// Neighbouring ranges of one factor, joined.
    private static func joined(
        _ parts: [(range: Range<Int>, factor: Float)]
    ) -> [(range: Range<Int>, factor: Float)] {
        parts.reduce(into: []) { runs, part in
            if let last = runs.last, last.factor == part.factor,
                last.range.upperBound == part.range.lowerBound
            {
                runs[runs.count - 1].range = last.range.lowerBound..<part.range.upperBound
            } else {
                runs.append(part)
            }
        }
    }
}
