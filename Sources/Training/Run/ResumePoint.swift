import Checkpoints
import Collectives
import SaccaderModel

/// Where a run goes on.
struct ResumePoint {
    let checkpoint: Checkpoint
    let position: Position

    init(_ checkpoint: Checkpoint) throws(CheckpointError) {
        guard let stage = StageName(rawValue: checkpoint.header.stage) else {
            throw .damaged(
                path: checkpoint.file.path,
                what: "was written in a stage \"\(checkpoint.header.stage)\", which is unknown")
        }
        self.checkpoint = checkpoint
        position = Position(stage: stage, step: checkpoint.header.step)
    }

    /// What `--resume` means: the newest valid checkpoint of the run, none, or a given one.
    ///
    /// The first rank looks, and tells the others which it found.
    ///
    /// - Parameter folder: The run's folder; nil on the other ranks.
    static func find(
        _ resume: String, folder: RunFolder?, communicator: any Communicator, output: String,
        warn: (String) -> Void
    ) throws -> ResumePoint? {
        if resume == "never" { return nil }
        if resume != "auto" {
            let checkpoint = try Checkpoint(reading: resume)
            try checkpoint.verify()
            return try ResumePoint(checkpoint)
        }
        var found: ResumePoint?
        if let folder { found = try folder.newest(warn: warn).map { try ResumePoint($0) } }
        let told = try communicator.sum(
            found.map { [1, $0.position.stage.index, $0.position.step] } ?? [0, 0, 0])
        if folder != nil || told[0] == 0 { return found }
        let stage = StageName.allCases[told[1]]
        let name = CheckpointFolder.name(stage: stage.rawValue, step: told[2])
        return try ResumePoint(
            Checkpoint(reading: "\(output)/checkpoints/\(name)", checksSeal: false))
    }
}
