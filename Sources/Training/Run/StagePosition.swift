/// How far a stage is: what its batches go on from.
///
/// It counts images and epochs, so that it means the same after a change of the batch size.
struct StagePosition: Equatable, Sendable {
    /// Steps done.
    var step = 0
    /// Whole epochs done.
    var epoch = 0
    /// Images of the next epoch that were taken, fewer than it has.
    var offset = 0
    /// Images seen by all ranks together.
    var samples = 0
}
