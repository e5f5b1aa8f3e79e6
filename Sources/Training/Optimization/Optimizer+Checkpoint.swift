import Checkpoints
import Layers
import StoredModels

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

    /// Overwrites the momentum with that of a checkpoint; where it has none, as of parameters that
    /// were frozen, it stays 0.
    func load(_ checkpoint: Checkpoint, store: ParameterStore) throws(CheckpointError) {
        for parameter in parameters {
            let name = "/optimizer/momentum/\(parameter.path)"
            guard checkpoint.file.contains(name) else { continue }
            let numbers = try checkpoint.finiteFloats(name, shape: parameter.shape)
            velocity(parameter, store: store).update(from: numbers, count: numbers.count)
        }
    }
}
