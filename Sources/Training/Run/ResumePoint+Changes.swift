import Checkpoints
import Models

extension ResumePoint {
    /// How far its stage is, on the present images: where there are others than before, as many
    /// epochs are done, and the same part of the one that was begun.
    ///
    /// - Parameter imageCount: The present training images.
    func progress(imageCount: Int) -> StagePosition {
        let header = checkpoint.header
        var progress = StagePosition(
            step: header.step, epoch: header.epoch, offset: 0, samples: header.samples)
        if let offset = header.epochSamples, let before = header.images?.training.count,
            (0..<before).contains(offset)
        {
            progress.offset = offset * imageCount / before
        } else {
            // Of an earlier program: samples were counted from the whole epochs on.
            let offset = header.samples - header.epoch * imageCount
            if (0..<imageCount).contains(offset) { progress.offset = offset }
        }
        return progress
    }

    /// What the bits of the rest depend on and is not as it was when the checkpoint was written,
    /// and what follows: one line, or nil.
    ///
    /// - Parameters:
    ///   - images: The present ones.
    ///   - rest: What is still to be trained, in words.
    func warning(
        of configuration: RunConfiguration, images: SeenImages, rest: String
    ) throws -> String? {
        let before = try savedConfiguration()
        // Where files lie and how often something is written changes no bit.
        let free = ["data.path", "data.workers", "evaluation.", "checkpoint.", "log."]
        let settings = try configuration.tree().changes(since: before.tree())
            .filter { change in !free.contains { change.key.hasPrefix($0) } }
            .map { "\($0.key) was \($0.old) and is \($0.new)" }
        let other = checkpoint.header.images.map { Self.changes(of: $0, to: images) } ?? []
        let parts = [("settings", settings), ("images", other)].filter { !$0.1.isEmpty }
            .map { kind, changes in
                let list = changes.prefix(5)
                let more = changes.count - list.count
                return "other \(kind): \(list.joined(separator: ", "))"
                    + (more > 0 ? " and \(more) more" : "")
            }
        if parts.isEmpty { return nil }
        return "\(checkpoint.file.path) was written with \(parts.joined(separator: ", and ")); "
            + "going on with the present ones, \(rest); to start anew choose another --output"
    }

    private static func changes(of before: SeenImages, to now: SeenImages) -> [String] {
        [
            ("training", before.training, now.training, ""),
            (
                "development", before.development, now.development,
                " (the next score counts as the best)"
            ),
        ].compactMap { name, before, now, consequence in
            if before == now { return nil }
            let change =
                before.count == now.count
                ? "\(now.count) \(name) images have other names"
                : "\(name) images were \(before.count) and are \(now.count)"
            return change + consequence
        }
    }
}
