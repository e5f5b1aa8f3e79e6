import Checkpoints
import Layers
import Models
import StoredModels
import Tensors

/// An exponential moving average of all parameters and running statistics.
///
///     e ← e + (1 − d)·(θ − e)
///
/// The first update takes θ as it is, as PyTorch's `AveragedModel` does; what a stage does not train
/// stays equal to itself, bit for bit.
final class WeightAverage {
    private let settings: AveragingSettings
    private let arena = Arena()
    private let values: Tensor<Float>
    private let statistics: Tensor<Float>
    /// Updates so far.
    private(set) var updates = 0

    /// Reserves the buffers; nil where the settings ask for no average.
    init?(_ settings: AveragingSettings, store: ParameterStore) {
        guard settings.isOn else { return nil }
        self.settings = settings
        values = Tensor(vector: store.allValues.count, in: arena)
        statistics = Tensor(vector: store.allStatistics.count, in: arena)
        arena.commit()
    }

    /// Bytes of the average.
    static func byteCount(_ settings: AveragingSettings, store: ParameterStore) -> Int {
        let count = store.layout.trainableCount + store.layout.statisticCount
        return settings.isOn ? count * MemoryLayout<Float>.stride : 0
    }

    /// Takes in what the model has after a step.
    func update(store: ParameterStore, pool: ThreadPool) {
        let part = Float(1 - settings.decay(after: updates))
        for (average, source) in pairs(store) {
            pool.runRanges(average.count) { range in
                for index in range {
                    average[index] =
                        updates == 0
                        ? source[index] : average[index] + part * (source[index] - average[index])
                }
            }
        }
        updates += 1
    }

    /// Exchanges the model's numbers and the average: once more, and all is as it was.
    func exchange(with store: ParameterStore) {
        for (average, other) in pairs(store) {
            for index in average.indices { swap(&average[index], &other[index]) }
        }
    }

    private func pairs(
        _ store: ParameterStore
    ) -> [(UnsafeMutableBufferPointer<Float>, UnsafeMutableBufferPointer<Float>)] {
        [
            (
                UnsafeMutableBufferPointer(
                    start: values.pointer, count: store.allValues.count), store.allValues
            ),
            (
                UnsafeMutableBufferPointer(
                    start: statistics.pointer, count: store.allStatistics.count),
                store.allStatistics
            ),
        ]
    }

    /// The average as arrays of a checkpoint, in place.
    ///
    /// - Parameter group: What they lie below: `/ema`, or `/model` of a file that holds no other.
    func arrays(store: ParameterStore, below group: String = "/ema") -> [CheckpointArray] {
        let layout = store.layout
        return layout.parameters.map {
            CheckpointArray(
                "\(group)/\($0.path)", shape: $0.shape,
                values: UnsafeBufferPointer(
                    start: values.pointer + store.range($0).lowerBound, count: $0.count))
        }
            + layout.statistics.map {
                CheckpointArray(
                    "\(group)/\($0.path)", shape: [$0.count],
                    values: UnsafeBufferPointer(
                        start: statistics.pointer + store.range($0).lowerBound, count: $0.count))
            }
    }

    /// Takes up the average of a checkpoint; one without leaves it to begin anew.
    ///
    /// - Parameter isWanted: What is taken, by path; of the rest, which a run has from elsewhere, the
    ///   average is the model's numbers.
    func load(
        _ checkpoint: Checkpoint, store: ParameterStore, where isWanted: (String) -> Bool
    ) throws(CheckpointError) {
        guard let count = checkpoint.header.average.updates else { return }
        for (average, source) in pairs(store) {
            for index in average.indices { average[index] = source[index] }
        }
        for parameter in store.layout.parameters where isWanted(parameter.path) {
            let numbers = try checkpoint.finiteFloats(
                "/ema/\(parameter.path)", shape: parameter.shape)
            (values.pointer + store.range(parameter).lowerBound)
                .update(from: numbers, count: numbers.count)
        }
        for statistic in store.layout.statistics where isWanted(statistic.path) {
            let numbers = try checkpoint.finiteFloats(
                "/ema/\(statistic.path)", shape: [statistic.count])
            (statistics.pointer + store.range(statistic).lowerBound)
                .update(from: numbers, count: numbers.count)
        }
        updates = count
    }
}
