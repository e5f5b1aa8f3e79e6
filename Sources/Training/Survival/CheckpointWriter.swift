import Checkpoints
import Dispatch
import Synchronization

/// Writes checkpoints on a thread of its own, from a copy, while training goes on.
///
/// The copy is the file itself, put together in memory by the thread that trains; HDF5 is used on
/// that thread alone, and the other one only moves bytes to the disk.
final class CheckpointWriter: @unchecked Sendable {
    private let folder: RunFolder
    private let log: MetricsLog?
    private let activity: Activity
    private let queue = DispatchQueue(label: "checkpoints")
    private let failures = Mutex(Failures())
    private let written = Atomic<Int>(0)
    /// Checkpoints that are on the disk.
    var count: Int { written.load(ordering: .relaxed) }
    /// Seconds for which training stood still for them: all that ``whileTrainingWaits(_:)`` took.
    private(set) var stallSeconds = 0.0

    private struct Failures {
        /// What went wrong with the checkpoint written last.
        var last: CheckpointError?
        /// The latest that nobody was told of, also where the next checkpoint was written.
        var untold: CheckpointError?
    }

    /// Writes into `folder`, which nothing else uses from now on.
    ///
    /// - Parameters:
    ///   - log: Flushed to the disk before each checkpoint: a run that goes on from one finds the
    ///     lines of all steps before it, unless the disk did not take them. A checkpoint is worth
    ///     more than they are, and is written all the same.
    ///   - activity: Told that writing moves on.
    init(_ folder: RunFolder, log: MetricsLog?, activity: Activity) {
        (self.folder, self.log, self.activity) = (folder, log, activity)
    }

    /// Counts the time that `body` takes as time in which training stands still.
    func whileTrainingWaits<Failure: Error>(
        _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        let start = DispatchTime.now().uptimeNanoseconds
        defer { stallSeconds += Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9 }
        try body()
    }

    /// Ends the run where another one has its folder.
    func requireClaim(warn: (String) -> Void) throws {
        try folder.requireClaim(warn: warn)
    }

    /// Copies the arrays and goes on; waits only where the one before is still being written.
    ///
    /// - Parameter average: A checkpoint of the averaged weights, which is written too where it is
    ///   the best so far.
    func submit(
        _ header: CheckpointHeader, arrays: [CheckpointArray], average: PendingCheckpoint? = nil
    ) throws(CheckpointError) {
        queue.sync {}
        let (name, image) = try folder.image(header, arrays: arrays)
        var best: (header: CheckpointHeader, image: FileImage)?
        if let average, folder.isBest(average.header) {
            best = (
                average.header, try folder.image(average.header, arrays: average.arrays).image
            )
        }
        queue.async { [self, best] in
            do throws(CheckpointError) {
                log?.synchronize()
                try folder.save(header, name, image, onProgress: activity.tick)
                if let best {
                    try folder.saveBest(
                        best.header, beside: name, best.image, onProgress: activity.tick)
                }
                written.add(1, ordering: .relaxed)
                failures.withLock { $0.last = nil }
            } catch {
                failures.withLock { ($0.last, $0.untold) = (error, error) }
                return
            }
            do throws(CheckpointError) { try folder.prune() } catch {
                // The checkpoint itself is whole; an old one only takes room.
                failures.withLock { $0.untold = error }
            }
        }
    }

    /// What went wrong since this was asked last.
    func takeFailure() -> CheckpointError? {
        failures.withLock { failures in
            defer { failures.untold = nil }
            return failures.untold
        }
    }

    /// Reads the checkpoint written last back from the disk and checks it.
    func verifyNewest() throws(CheckpointError) {
        queue.sync {}
        try folder.verifyNewest()
    }

    /// Waits until all is on the disk; an error if the checkpoint written last is not.
    func finish() throws(CheckpointError) {
        queue.sync {}
        let failure = failures.withLock { failures in
            defer { if failures.last != nil { failures = Failures() } }
            return failures.last
        }
        if let failure { throw failure }
    }
}
