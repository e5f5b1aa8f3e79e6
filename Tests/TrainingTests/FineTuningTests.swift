import Checkpoints
import Foundation
import TestSupport
import Testing

/// `--init-from` and `freeze`.
@Suite(.serialized) final class FineTuningTests {
    private let folder: TemporaryFolder
    private let configuration: String
    private let data: String
    private let output: String
    private let base: String

    init() throws {
        folder = try TemporaryFolder()
        configuration = folder.path("own.yaml")
        try SmallRun.configuration.replacingOccurrences(of: "  classes: 10\n", with: "")
            .write(toFile: configuration, atomically: false, encoding: .utf8)
        (data, output) = (folder.path("data"), folder.path("run"))
        try SmallData.write(to: data)
        base = "\(folder.path("base"))/checkpoints/last.h5"
        _ = try train(steps: 3, output: folder.path("base"))
        // Of ten classes one is left out and one has another name.
        for subset in ["train", "dev", "val"] {
            let manager = FileManager.default
            try manager.removeItem(atPath: "\(data)/\(subset)/digits-0-1")
            try manager.moveItem(
                atPath: "\(data)/\(subset)/digits-2-3", toPath: "\(data)/\(subset)/a-new-one")
        }
    }

    private func train(
        steps: Int, stages: String = "representation", output: String? = nil, ranks: Int = 1,
        status: Int32 = 0, _ more: [String] = []
    ) throws -> CommandRun {
        let run = try CommandRun(
            "saccader-dist",
            [
                "train", "--config", configuration, "--set", "data.path=\(data)", "--output",
                output ?? self.output, "--threads", "1", "--stages", stages, "--max-steps",
                "\(steps)",
            ] + more, ranks: ranks)
        #expect(run.status == status, "\(run.errors)")
        return run
    }

    private func arrays(
        _ stage: String = "representation", step: Int, of output: String? = nil
    ) throws -> [String: [Float]] {
        let name = CheckpointFolder.name(stage: stage, step: step)
        return try RewrittenCheckpoint.arrays("\(output ?? self.output)/checkpoints/\(name)")
    }

    @Test func whatFitsIsTakenAndTheRestBeginsAnew() throws {
        let keep = ["--set", "checkpoint.keep=9", "--set", "checkpoint.everySteps=1"]
        let run = try train(steps: 1, ["--init-from", base] + keep)
        #expect(run.errors.contains("--init-from \(base): "), "\(run.errors)")
        #expect(run.errors.contains("begun anew for 1 class (a-new-one)"), "\(run.errors)")
        #expect(run.errors.contains("kept for 8 classes (digits-0-2, "), "\(run.errors)")
        let (before, after) = (try RewrittenCheckpoint.arrays(base), try arrays(step: 0))
        let classes = try Checkpoint(reading: base).header.classes?.map(\.name) ?? []
        let header = try Checkpoint(
            reading: "\(output)/checkpoints/representation-00000000.h5"
        ).header
        #expect(header.step == 0 && header.samples == 0)
        let own = header.classes?.map(\.name) ?? []
        #expect(classes.count == 10 && own.count == 9 && own[0] == "a-new-one")
        for (path, values) in after {
            if path.hasPrefix("/optimizer") {
                #expect(values.allSatisfy { $0 == 0 }, "\(path)")
            } else if path.contains("/logits/") {
                let old = try #require(before[path])
                for row in 0..<(values.count / 9) {
                    for (place, name) in own.enumerated().dropFirst() {
                        let source = try #require(classes.firstIndex(of: name))
                        #expect(values[row * 9 + place] == old[row * 10 + source], "\(path)")
                    }
                }
            } else {
                #expect(values == before[path], "\(path)")
            }
        }
        // Started again it goes on from its own.
        let again = try train(steps: 2, ["--init-from", base] + keep)
        #expect(again.errors.contains("--init-from \(base) is not used"), "\(again.errors)")
        let two = folder.path("two")
        _ = try train(steps: 2, output: two, ranks: 2, ["--init-from", base])
        #expect(try arrays(step: 2) == arrays(step: 2, of: two))
    }

    @Test func badStartsAreTold() throws {
        func refused(_ status: Int32, _ words: String, _ more: [String]) throws {
            let run = try train(steps: 1, ranks: 2, status: status, more)
            let lines = run.messages.filter { !$0.contains("warning") }
            #expect(lines.count == 1 && lines[0].contains(words), "\(run.errors)")
            #expect(!FileManager.default.fileExists(atPath: output))
        }
        try refused(66, "no such file", ["--init-from", folder.path("nowhere.h5")])
        try refused(65, "none of its arrays fits", ["--init-from", base, "--stages", "classifier"])
        // The ten classes are known to a run that resumes, which must not take nine others.
        try refused(65, "class a-new-one is unknown", ["--resume", base])
        let both = try CommandRun(
            "saccader-dist", ["train", "--init-from", base, "--resume", base, "--output", output])
        #expect(both.status == 64 && both.errors.contains("give one"), "\(both.errors)")
        let narrow = ["--init-from", base, "--set", "model.representation.planes=[8, 12]"]
        let run = try train(steps: 1, narrow)
        #expect(run.errors.contains("not taken, of other shape: "), "\(run.errors)")
        let other = try train(
            steps: 2, status: 65, ["--set", "model.representation.planes=[8, 16]"])
        #expect(other.errors.contains("--init-from"), "\(other.errors)")
    }

    @Test(arguments: [
        ("representation", ["representation/stem", "representation/group0"]),
        (
            "representation",
            ["representation/stem", "representation/group0", "representation/group1"]
        ),
        (
            "representation",
            [
                "representation/stem", "representation/group0", "representation/group1",
                "representation/lowd",
            ]
        ),
        ("location", ["representation", "attention"]),
        ("joint", ["representation/stem"]),
        ("joint", ["representation"]),
        ("joint", ["representation", "attention", "mixing"]),
    ])
    func frozenPartsAreUntouchedBitForBit(stage: String, parts: [String]) throws {
        let options = [
            "--init-from", base, "--set", "checkpoint.keep=9", "--set", "checkpoint.everySteps=1",
            "--set", "model.batchNorm.sync=\(stage == "location" ? "false" : "true")",
            "--set", "stages.\(stage).freeze=[\(parts.joined(separator: ", "))]",
        ]
        _ = try train(steps: 2, stages: stage, options)
        _ = try train(steps: 3, stages: stage, options)
        let (before, after) = (try arrays(stage, step: 0), try arrays(stage, step: 3))
        func isFrozen(_ path: String) -> Bool { parts.contains { path.hasPrefix("/model/\($0)/") } }
        var changed = 0
        for (path, values) in after where path.hasPrefix("/model/") {
            if isFrozen(path) {
                #expect(values == before[path], "\(path)")
            } else if values != before[path] {
                changed += 1
            }
        }
        #expect(changed > 0)
        #expect(
            !after.keys.contains {
                $0.hasPrefix("/optimizer") && isFrozen("/model" + $0.dropFirst(19))
            })
        // On other ranks and without a stop: the same bits.
        guard stage != "location" else { return }
        let two = folder.path("two")
        _ = try train(steps: 3, stages: stage, output: two, ranks: 2, options)
        #expect(try after == arrays(stage, step: 3, of: two))
    }

    @Test func impossibleFreezesAreTold() throws {
        for (stage, parts, words) in [
            ("joint", "[representatoin]", "is no part of the model: choose from representation, "),
            ("joint", "[attention]", "names attention, but not representation/stem before it"),
            ("representation", "[representation]", "leaves the stage nothing to train"),
        ] {
            let run = try train(
                steps: 1, stages: stage, status: 64, ["--set", "stages.\(stage).freeze=\(parts)"])
            #expect(run.errors.contains("stages.\(stage).freeze"), "\(run.errors)")
            #expect(run.errors.contains(words), "\(run.errors)")
        }
    }
}
