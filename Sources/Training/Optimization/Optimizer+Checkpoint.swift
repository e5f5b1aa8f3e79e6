import Checkpoints
import Evaluation
import Layers

extension Optimizer {
    /// The momentum as arrays of a checkpoint, in place.
    func arrays(store: ParameterStore) -> [CheckpointArray] {
        parameters.map {
            CheckpointArray(
                "/optimizer/momentum/\($0.path)", shape: $0.shape,
                values: UnsafeBufferPointer(
                    start: velocity($0, store: store), count: $0.count))
        }
    }

    /// Overwrites the momentum with that of a checkpoint; one without momentum leaves it 0.
    func load(_ checkpoint: Checkpoint, store: ParameterStore) throws(CheckpointError) {
        guard checkpoint.file.contains("/optimizer/momentum") else { return }
        for parameter in parameters {
            let numbers = try checkpoint.finiteFloats(
                "/optimizer/momentum/\(parameter.path)", shape: parameter.shape)
            velocity(parameter, store: store).update(from: numbers, count: numbers.count)
        }
    }
}
