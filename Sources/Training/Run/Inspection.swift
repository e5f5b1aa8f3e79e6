import Checkpoints
import Families
import Foundation
import Layers
import Models
import StoredModels
import Terminal

/// What a checkpoint holds.
public struct Inspection: CustomStringConvertible {
    private let path: String
    private let header: CheckpointHeader
    private let model: any ModelFamily
    private let checksummed: Int
    private let classes: [KnownClass]?

    /// What to tell of a file that another program has opened for writing; else nil.
    public let warning: String?

    /// Reads a checkpoint and verifies its checksums.
    ///
    /// - Parameter acceptsEdited: Whether the user has said that arrays were edited.
    public init(_ path: String, acceptsEdited: Bool = false) throws {
        let checkpoint = try Checkpoint(reading: path, acceptsEdited: acceptsEdited)
        try checkpoint.verify()
        warning = checkpoint.warning
        self.path = path
        header = checkpoint.header
        let stored = try StoredModel(checkpoint)
        model = stored.model
        classes = try stored.classes(of: checkpoint)
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
        return (lines + averageLines + description.lines + classLines + rest).map { label, text in
            label.padding(toLength: 17, withPad: " ", startingAt: 0) + text
        }.joined(separator: "\n")
    }

    /// One line a class; of many the first ten alone.
    private var classLines: [(label: String, text: String)] {
        guard let classes else {
            return [("classes", "\(model.classes), without names (of an earlier program)")]
        }
        let named = classes.enumerated().filter { !$1.name.isEmpty }
        let isLong = named.count > 40
        let lines = named.prefix(isLong ? 10 : 40).map { place, known in
            (
                label: "class \(place)",
                text: known.words == known.name ? known.name : "\(known.name)  \(known.words)"
            )
        }
        let unnamed = classes.count - named.count
        return [
            ("classes", "\(classes.count)" + (unnamed > 0 ? ", \(unnamed) without a name" : ""))
        ] + lines
            + (isLong ? [("…", "\(named.count - lines.count) more: --json lists all")] : [])
    }

    /// What it says of a moving average of the weights.
    private var averageLines: [(String, String)] {
        if header.average.isModel { return [("weights", "the moving average of the run's")] }
        guard let updates = header.average.updates else { return [] }
        let score = header.average.developmentAccuracy.map {
            String(format: ", development %.4f", $0)
        }
        return [("moving average", "of \(updates) steps, below /ema\(score ?? "")")]
    }

    /// One JSON object.
    public func json() -> String {
        let layout = model.layout
        let groups = type(of: model).groups.map { ($0.name, layout.trainableCount(of: $0)) }
        let sums: JSONLine = [
            "trainable": layout.trainableCount, "statistics": layout.statisticCount,
            "total": layout.trainableCount + layout.statisticCount,
        ]
        let run: JSONLine = [
            "family": model.familyName, "stage": header.stage, "step": header.step,
            "epoch": header.epoch, "samples": header.samples,
            "seed": header.seed, "worldSize": header.worldSize,
            "program": header.program, "parameters": JSONLine(groups) + sums,
        ]
        let rest: JSONLine = [
            "imageSize": model.imageSize, "checksumsVerified": checksummed,
            "classes": classes.map { JSONText.Stored(KnownClass.json($0)) },
            "config": JSONText.Stored(header.config),
        ]
        return (run + JSONLine(model.description.numbers.map { ($0.key, $0.value) }) + rest).json
    }
}
