import Checkpoints
import Collectives
import Configuration
import Families
import Foundation
import Models
import StoredModels

/// Where a run goes on.
struct ResumePoint {
    let checkpoint: Checkpoint
    let position: Position

    init(_ checkpoint: Checkpoint) throws(CheckpointError) {
        self.checkpoint = checkpoint
        position = Position(
            stage: try StoredModel.stage(of: checkpoint), step: checkpoint.header.step)
    }

    /// What `--resume` means: the newest valid checkpoint of the run, none, or a given one.
    ///
    /// The given one is where a run starts: what it has saved itself since then comes first, so
    /// that the same command goes on; a checkpoint of the run's own is taken at its word. The first
    /// rank looks, and tells the others which it found.
    ///
    /// - Parameters:
    ///   - folder: The run's folder; nil on the other ranks.
    ///   - acceptsEdited: Whether the user has said that arrays were edited.
    static func find(
        _ resume: String, acceptsEdited: Bool = false, folder: RunFolder?,
        communicator: any Communicator, output: String, warn: (String) -> Void
    ) throws -> ResumePoint? {
        let isGiven = resume != "auto" && resume != "never"
        if !isGiven || !isInside(resume, output) {
            let own = try findOwn(
                acceptsEdited: acceptsEdited, folder: folder, communicator: communicator,
                output: output, warn: warn)
            if let own, resume == "never" {
                throw ConfigurationError(
                    "--resume never: \(output) holds a run, up to step \(own.position.step) of stage "
                        + "\(own.position.stage.name); choose another --output, or leave "
                        + "--resume out to go on")
            }
            if let own {
                if isGiven {
                    warn(
                        "\(output) has checkpoints of its own: going on from the newest, not from "
                            + "--resume \(resume)")
                }
                return own
            }
        }
        guard isGiven else { return nil }
        let checkpoint = try Checkpoint(reading: resume, acceptsEdited: acceptsEdited)
        try checkpoint.verify()
        if let warning = checkpoint.warning { warn(warning) }
        return try ResumePoint(checkpoint)
    }

    /// Whether a path lies in a folder.
    static func isInside(_ path: String, _ folder: String) -> Bool {
        let (path, folder) = (URL(fileURLWithPath: path), URL(fileURLWithPath: folder))
        return path.standardizedFileURL.path.hasPrefix("\(folder.standardizedFileURL.path)/")
    }

    /// The newest valid checkpoint in the output folder.
    private static func findOwn(
        acceptsEdited: Bool, folder: RunFolder?, communicator: any Communicator, output: String,
        warn: (String) -> Void
    ) throws -> ResumePoint? {
        var found: ResumePoint?
        if let folder {
            found = try folder.newest(acceptsEdited: acceptsEdited, warn: warn).map {
                try ResumePoint($0)
            }
        }
        let told = try communicator.sum(
            found.map { [1, $0.position.stage.stream, $0.position.step] } ?? [0, 0, 0])
        if folder != nil || told[0] == 0 { return found }
        guard let stage = Families.stages.first(where: { $0.stream == told[1] }) else {
            preconditionFailure("the first rank found a stage of this program")
        }
        let name = CheckpointFolder.name(stage: stage.name, step: told[2])
        return try ResumePoint(
            Checkpoint(
                reading: "\(output)/checkpoints/\(name)", checksSeal: false,
                acceptsEdited: acceptsEdited))
    }

    /// The logits of the checkpoint's model.
    func classCount() throws -> Int {
        let (header, path) = (checkpoint.header, checkpoint.file.path)
        let count = try savedConfiguration().model(of: position.stage).classes
        guard let classes = header.classes, classes.count != count else { return count }
        throw CheckpointError.damaged(
            path: path, what: "names \(classes.count) classes, but its model has \(count)")
    }

    func savedConfiguration() throws -> RunConfiguration {
        try RunConfiguration.read(
            .checkpoint(json: checkpoint.header.config, path: checkpoint.file.path),
            overrides: [])
    }

    /// What to say where the log lacks lines of steps before the checkpoint: the disk had not
    /// taken them when the run was killed.
    ///
    /// - Parameter last: The place of the log's last line.
    func warning(ofLogTo last: Position?) throws -> String? {
        let expected = position.step - position.step % (try savedConfiguration().log.everySteps)
        if expected == 0 { return nil }
        if let last, last >= Position(stage: position.stage, step: expected) { return nil }
        let end = last.map { "ends at step \($0.step) of stage \($0.stage.name)" } ?? "is empty"
        return "metrics.jsonl \(end): its lines up to step \(expected) of stage "
            + "\(position.stage.name) were lost when the run was killed while they could not be "
            + "written"
    }
}
