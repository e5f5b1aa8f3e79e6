import Checkpoints
import Layers

extension ParameterStore {
    /// Overwrites parameters and statistics with those of a checkpoint, which must be finite.
    ///
    /// - Parameter isWanted: Which, by path; left out: all.
    public func load(
        _ checkpoint: Checkpoint, where isWanted: (String) -> Bool = { _ in true }
    ) throws(CheckpointError) {
        for parameter in layout.parameters where isWanted(parameter.path) {
            let numbers = try checkpoint.finiteFloats(
                "/model/\(parameter.path)", shape: parameter.shape)
            values(parameter).update(from: numbers, count: numbers.count)
        }
        for statistic in layout.statistics where isWanted(statistic.path) {
            let numbers = try checkpoint.finiteFloats(
                "/model/\(statistic.path)", shape: [statistic.count])
            values(statistic).update(from: numbers, count: numbers.count)
        }
    }

    /// A checksum of all parameters and statistics.
    public var checksum: String {
        Checkpoint.checksum(of: checkpointArrays())
    }

    /// All parameters and statistics as arrays of a checkpoint, in place.
    public func checkpointArrays() -> [CheckpointArray] {
        layout.parameters.map {
            CheckpointArray(
                "/model/\($0.path)", shape: $0.shape,
                values: UnsafeBufferPointer(start: values($0), count: $0.count))
        }
            + layout.statistics.map {
                CheckpointArray(
                    "/model/\($0.path)", shape: [$0.count],
                    values: UnsafeBufferPointer(start: values($0), count: $0.count))
            }
    }
}
