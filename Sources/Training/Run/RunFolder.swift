import Checkpoints
import Families
import Files
import Foundation
import Layers
import Models
import Tensors

/// The output folder of a run, written by the first rank alone.
final class RunFolder {
    let path: String
    let checkpoints: CheckpointFolder
    private let keep: Int
    private var best: Best?
    private var lock: FolderLock?
    private var lockSeenAt = 0.0
    private var isLockMissed = false

    /// The checkpoint with the best score on the development images.
    private struct Best {
        let stage: Stage
        let accuracy: Double

        /// Nil where the checkpoint was not scored.
        init?(_ header: CheckpointHeader) {
            guard let accuracy = header.developmentAccuracy,
                let stage = Families.stage(named: header.stage)
            else { return nil }
            (self.stage, self.accuracy) = (stage, accuracy)
        }
    }

    private static let stages = Families.stageNames

    init(_ path: String, keep: Int) {
        self.path = path
        self.keep = keep
        checkpoints = CheckpointFolder("\(path)/checkpoints")
    }

    /// Whether the folder is there.
    var exists: Bool { access(path, F_OK) == 0 }

    /// Keeps other runs out of the folder, if it is there.
    ///
    /// - Throws: Where another run is in it.
    func claim(warn: (String) -> Void) throws(CheckpointError) {
        guard lock == nil, exists else { return }
        lock = try FolderLock.claim(path, warn: warn)
        lockSeenAt = Stopwatch.now
    }

    /// Seconds between two looks at the lock.
    private static let lockPeriod = 2.0

    /// Looks now and then whether the folder is still this run's, and claims it again where the lock
    /// was deleted.
    ///
    /// - Throws: Where another run has it.
    func requireClaim(warn: (String) -> Void) throws {
        guard Stopwatch.now - lockSeenAt >= Self.lockPeriod else { return }
        lockSeenAt = Stopwatch.now
        switch lock?.state {
        case nil, .held: isLockMissed = false
        case .taken(let holder): throw CheckpointError.inUse(folder: path, holder: holder)
        // A network file system may not show it at once.
        case .gone where !isLockMissed: isLockMissed = true
        case .gone:
            isLockMissed = false
            // This run's own locks would keep it out: nothing else holds them.
            lock = nil
            try AtomicFile.createFolder(path)
            lock = try FolderLock.claim(path, patience: 0) { _ in }
            warn(
                "\(path)/.lock was deleted, or the folder moved; claimed again: leave it alone while "
                    + "the run goes on")
        }
    }

    /// Makes the folder, finds out whether it can be written, keeps other runs out, and clears away
    /// what a process that was killed has left of a file.
    func create(warn: (String) -> Void) throws {
        try AtomicFile.createFolder(path)
        try claim(warn: warn)
        try AtomicFile.removeLeftovers(in: path)
        try AtomicFile.removeLeftovers(in: checkpoints.path)
        if let reason = AtomicFile.problemWithLinks(in: path) {
            warn(
                "\(path): no symbolic links there (\(reason)): last.h5 and best.h5 are hard links or "
                    + "copies of checkpoints")
        }
    }

    /// The newest valid checkpoint; a damaged one is set aside and told of.
    ///
    /// - Parameter acceptsEdited: Whether the user has said that arrays were edited.
    func newest(
        acceptsEdited: Bool, warn: (String) -> Void
    ) throws(CheckpointError) -> Checkpoint? {
        try checkpoints.newest(stages: Self.stages, acceptsEdited: acceptsEdited, warn: warn)
    }

    /// Reads the checkpoint written last back from the disk and checks it.
    func verifyNewest() throws(CheckpointError) {
        try Checkpoint(reading: "\(checkpoints.path)/last.h5").verify()
    }

    /// Takes up the best score of the run so far, when it goes on; `warn` is told where the
    /// checkpoint that had it is damaged.
    ///
    /// - Parameter images: The present ones: a score on others says nothing beside theirs.
    func recallBest(on images: ListDigest, warn: (String) -> Void) throws(CheckpointError) {
        let link = "\(checkpoints.path)/best.h5"
        do throws(CheckpointError) {
            let checkpoint = try Checkpoint(reading: link)
            guard checkpoint.header.images.map({ $0.development == images }) != false else {
                return
            }
            best = Best(checkpoint.header) ?? best
        } catch .missing {
            return
        } catch .damaged(let path, let what) {
            warn("\(path) \(what); the next score counts as the best")
        }
    }

    /// The name of a checkpoint, and its bytes.
    func image(
        _ header: CheckpointHeader, arrays: [CheckpointArray]
    ) throws(CheckpointError) -> (name: String, image: FileImage) {
        let name = CheckpointFolder.name(stage: header.stage, step: header.step)
        return (
            name,
            try Checkpoint.image(header, arrays: arrays, for: "\(checkpoints.path)/\(name)")
        )
    }

    /// Writes a checkpoint, links it as the last and, if its score is the best, as the best.
    ///
    /// - Parameter onProgress: Called whenever a piece has been written.
    func save(
        _ header: CheckpointHeader, _ name: String, _ image: FileImage,
        onProgress: () -> Void
    ) throws(CheckpointError) {
        try checkpoints.write(name, image, onProgress: onProgress)
        if isBest(header) {
            try checkpoints.linkBest(name, onProgress: onProgress)
            best = Best(header)
        }
    }

    /// Writes averaged weights that are better than the model's, and links them as the best.
    ///
    /// - Parameters:
    ///   - name: Of the checkpoint with the model's.
    ///   - onProgress: Called whenever a piece has been written.
    func saveBest(
        _ header: CheckpointHeader, beside name: String, _ image: FileImage,
        onProgress: () -> Void
    ) throws(CheckpointError) {
        try checkpoints.writeBest(averagedBeside: name, image, onProgress: onProgress)
        best = Best(header)
    }

    /// Whether a checkpoint's score is at least as good as the best so far.
    func isBest(_ header: CheckpointHeader) -> Bool {
        guard let score = Best(header) else { return false }
        // A later stage is a better model than an earlier one, whatever its first scores.
        return best.map { score.stage > $0.stage || score.accuracy >= $0.accuracy } ?? true
    }

    /// Deletes checkpoints that are not to be kept any longer.
    func prune() throws(CheckpointError) {
        try checkpoints.prune(keep: keep, stages: Self.stages)
    }
}
