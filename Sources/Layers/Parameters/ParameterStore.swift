import Tensors

/// All trainable numbers in one flat buffer, their gradients in a second, running statistics in a
/// third.
///
/// Parameters lie in backward order, the last layer's first, so that gradients which are complete
/// are contiguous; reduction, update and checkpoint are one pass each.
///
/// A step writes each parameter's gradient once, and then says that it is complete. So a layer that
/// a step uses several times (the same weights at each glimpse) has one backward pass for all its
/// uses together: each shard adds the uses' parts one after the other, then the shards' sums are
/// added along the tree. Were each use's gradient summed on its own and added to the last one's,
/// the bits would depend on the number of ranks, as each rank would add up its own shards' first.
public final class ParameterStore: Sendable {
    /// What the slices are called and where they came from.
    public let layout: ParameterLayout
    private let offsets: [Int]
    private let arena = Arena()
    /// What is not trained has no gradients: no memory is taken for them.
    private let gradientArena = Arena(isSparse: true)
    private let valueTensor: Tensor<Float>
    private let gradientTensor: Tensor<Float>
    private let statisticTensor: Tensor<Float>

    /// Whether there are only places and no numbers: enough to plan a step and ask what it needs.
    public let isPlan: Bool

    /// Reserves the buffers and fills them with initial values.
    ///
    /// - Parameter seed: The run's seed; each number is a pure function of it, the parameter's
    ///   place in the layout and the place in the parameter.
    public convenience init(layout: ParameterLayout, seed: UInt64) {
        self.init(layout, isPlan: false)
        for parameter in layout.parameters { initialize(parameter, seed: seed) }
        for statistic in layout.statistics {
            values(statistic).update(repeating: statistic.initial, count: statistic.count)
        }
    }

    /// A store without numbers, which takes no memory.
    public convenience init(planning layout: ParameterLayout) { self.init(layout, isPlan: true) }

    private init(_ layout: ParameterLayout, isPlan: Bool) {
        (self.layout, self.isPlan) = (layout, isPlan)
        var offsets = [Int](repeating: 0, count: layout.parameters.count)
        var offset = 0
        for parameter in layout.parameters.reversed() {
            offsets[parameter.index] = offset
            offset += parameter.count
        }
        self.offsets = offsets
        valueTensor = Tensor(vector: offset, in: arena)
        gradientTensor = Tensor(vector: offset, in: gradientArena)
        statisticTensor = Tensor(vector: layout.statisticCount, in: arena)
        arena.close()
        gradientArena.close()
        if isPlan { return }
        arena.allocate()
        gradientArena.allocate()
    }

    /// Bytes of all numbers, gradients and statistics.
    public var byteCount: Int { arena.byteCount + gradientArena.byteCount }

    /// The place of a parameter in the flat buffers.
    public func range(_ parameter: Parameter) -> Range<Int> {
        offsets[parameter.index]..<(offsets[parameter.index] + parameter.count)
    }

    /// The numbers of a parameter.
    public func values(_ parameter: Parameter) -> UnsafeMutablePointer<Float> {
        valueTensor.pointer + offsets[parameter.index]
    }

    /// The gradient of a parameter.
    public func gradient(_ parameter: Parameter) -> UnsafeMutablePointer<Float> {
        gradientTensor.pointer + offsets[parameter.index]
    }

    /// The numbers of a running statistic.
    public func values(_ statistic: Statistic) -> UnsafeMutablePointer<Float> {
        statisticTensor.pointer + statistic.offset
    }

    /// All trainable numbers, in backward order.
    public var allValues: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: valueTensor.pointer, count: layout.trainableCount)
    }

    /// All gradients, in the same order.
    public var allGradients: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: gradientTensor.pointer, count: layout.trainableCount)
    }

    /// All running statistics.
    public var allStatistics: UnsafeMutableBufferPointer<Float> {
        UnsafeMutableBufferPointer(start: statisticTensor.pointer, count: layout.statisticCount)
    }

    private func initialize(_ parameter: Parameter, seed: UInt64) {
        let target = values(parameter)
        var random = CounterRandom(
            seed: seed, purpose: .initialization, index: UInt64(parameter.index))
        switch parameter.initial {
        case .constant(let value):
            target.update(repeating: value, count: parameter.count)
        case .normal(let deviation):
            for position in stride(from: 0, to: parameter.count, by: 2) {
                let (first, second) = random.normalPair()
                target[position] = deviation * Float(first)
                if position + 1 < parameter.count {
                    target[position + 1] = deviation * Float(second)
                }
            }
        case .truncatedNormal(let deviation):
            var position = 0
            while position < parameter.count {
                let (first, second) = random.normalPair()
                for value in [first, second]
                where abs(value) <= 2 && position < parameter.count {
                    target[position] = deviation * Float(value)
                    position += 1
                }
            }
        case .uniform(let limit):
            for position in 0..<parameter.count {
                target[position] = limit * Float(2 * random.uniform() - 1)
            }
        }
    }
}
