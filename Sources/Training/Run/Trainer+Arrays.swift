import Checkpoints
import Layers
import Models

/// What a run's checkpoints hold.
extension Trainer {
    /// All that a run goes on from.
    func arrays(_ trainer: StageTrainer) -> [CheckpointArray] {
        store.checkpointArrays() + trainer.optimizer.arrays(store: store)
            + (trainer.average.map { $0.updates > 0 ? $0.arrays(store: store) : [] } ?? [])
    }

    /// A checkpoint of the averaged weights alone, in the place of the model's, where they score
    /// better than these: whoever reads it, reads them.
    func averaged(
        _ trainer: StageTrainer, _ header: CheckpointHeader, _ score: DevelopmentScore?
    ) -> PendingCheckpoint? {
        guard let average = trainer.average, let score, score.isAverageBetter else { return nil }
        var header = header
        header.developmentAccuracy = score.average
        header.average = CheckpointHeader.Average()
        header.average.isModel = true
        return PendingCheckpoint(
            header: header, arrays: average.arrays(store: store, below: "/model"))
    }
}

/// A checkpoint that is to be written.
struct PendingCheckpoint {
    let header: CheckpointHeader
    let arrays: [CheckpointArray]
}
