import Checkpoints
import Evaluation
import Families
import Foundation
import Layers
import Models

/// What a checkpoint holds.
public struct Inspection: CustomStringConvertible {
    private let path: String
    private let header: CheckpointHeader
    private let model: any ModelFamily
    private let checksummed: Int

    /// Reads a checkpoint and verifies its checksums.
    public init(_ path: String) throws {
        let checkpoint = try Checkpoint(reading: path)
        try checkpoint.verify()
        self.path = path
        header = checkpoint.header
        model = try StoredModel(checkpoint).model
        checksummed = try checkpoint.checksummedCount()
    }

    /// A few lines for a person.
    public var description: String {
        let layout = model.layout
        let description = model.description
        let part = description.countedGroup.map {
            " (\($0.title) \(layout.trainableCount(of: $0.group)))"
        }
        let lines = [
            ("checkpoint", path), ("family", model.familyName),
            (
                "stage",
                "\(header.stage), step \(header.step), epoch \(header.epoch), \(header.samples) images "
                    + "seen"
            ),
            (
                "run",
                "seed \(header.seed), \(header.worldSize) ranks, program "
                    + (header.program.isEmpty ? "unknown" : header.program)
            ),
            ("trainable", "\(layout.trainableCount)\(part ?? "")"),
            ("with statistics", "\(layout.trainableCount + layout.statisticCount)"),
        ]
        let rest = [("checksums", "\(checksummed) verified"), ("config", header.config)]
        return (lines + description.lines + rest).map { label, text in
            label.padding(toLength: 17, withPad: " ", startingAt: 0) + text
        }.joined(separator: "\n")
    }

    /// One JSON object.
    public func json() -> String {
        let layout = model.layout
        let groups = type(of: model).groups.map {
            "\"\($0.name)\": \(layout.trainableCount(of: $0)), "
        }
        let numbers = model.description.numbers.map { "\"\($0.key)\": \($0.value), " }
        return """
            {"family": "\(model.familyName)", "stage": "\(header.stage)", "step": \(header.step), \
            "epoch": \(header.epoch), "samples": \(header.samples), "seed": \(header.seed), \
            "worldSize": \(header.worldSize), "program": "\(header.program)", \
            "parameters": {\(groups.joined())\
            "trainable": \(layout.trainableCount), "statistics": \(layout.statisticCount), \
            "total": \(layout.trainableCount + layout.statisticCount)}, \
            \(numbers.joined())"imageSize": \(model.imageSize), \
            "checksumsVerified": \(checksummed), "config": \(header.config)}
            """
    }
}
