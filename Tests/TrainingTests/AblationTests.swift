import Checkpoints
import Foundation
import TestSupport
import Testing

/// Ablations as a user runs them: from one representation network, then side by side; and the exact
/// counts of an evaluation with an attack.
@Suite(.serialized) final class AblationTests {
    private let folder: TemporaryFolder
    private let configuration: String
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        configuration = try SmallRun.writeConfiguration(folder)
        data = folder.path("data")
        try SmallData.write(to: data)
    }

    private func train(_ name: String, _ more: [String]) throws {
        let run = try SmallRun.train(
            ranks: 1, configuration: configuration, data: data, output: folder.path(name),
            ["--max-steps", "3"] + more)
        #expect(run.status == 0, "\(run.errors)")
    }

    private func checkpoint(_ name: String, _ stage: String) -> String {
        folder.path("\(name)/checkpoints/\(stage)-00000003.h5")
    }

    private func evaluate(
        _ checkpoints: [String], ranks: Int = 1, _ more: [String] = []
    ) throws -> [String: Any] {
        let run = try CommandRun(
            ranks == 1 ? "saccader-eval" : "saccader-dist",
            (ranks == 1 ? [] : ["eval"]) + checkpoints
                + ["--data", data, "--glimpses", "1,3,6", "--quiet", "--json"] + more,
            ranks: ranks == 1 ? nil : ranks)
        #expect(run.status == 0, "\(run.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        return object as? [String: Any] ?? [:]
    }

    @Test func ablationsStartFromOneRepresentationAndAreCompared() throws {
        try train("full", ["--stages", "representation,location,joint"])
        let start = checkpoint("full", "representation")
        let variants = [
            ("no-attention", "model.attention.enabled=false"), ("soft", "model.cell.soft=true"),
        ]
        let path = "/model/representation/stem/conv/kernel"
        let kernel = try Checkpoint(reading: start).file.floats(path)
        for (name, setting) in variants {
            try train(
                name, ["--resume", start, "--set", setting, "--stages", "representation,location"])
            // The representation network is the same to the bit, frozen in the second stage.
            let own = try Checkpoint(reading: checkpoint(name, "location")).file.floats(path)
            #expect(own == kernel)
            try train(name, ["--set", setting])
            #expect(try Checkpoint(reading: checkpoint(name, "joint")).file.floats(path) != kernel)
        }
        let names = ["full", "no-attention", "soft"]
        let output = folder.path("comparison")
        let found = try evaluate(
            names.map { "\($0)=\(checkpoint($0, "joint"))" }, ["--output", output])
        let models = try #require(found["models"] as? [[String: Any]])
        #expect(models.compactMap { $0["name"] as? String } == names)
        for name in names {
            #expect(FileManager.default.fileExists(atPath: "\(output)/\(name)/report.html"))
        }
        for name in ["comparison.png", "comparison-coverage.svg", "comparison.csv"] {
            #expect(FileManager.default.fileExists(atPath: "\(output)/\(name)"))
        }
        // Soft attention sees the same part of the image, all windows, at every glimpse.
        let report = try #require(models[2]["report"] as? [String: Any])
        let policies = try #require(report["policies"] as? [String: [[String: Any]]])
        let coverage = (policies["learned"] ?? []).compactMap { $0["coverage"] as? Double }
        #expect(coverage.count == 3 && Set(coverage).count == 1 && coverage[0] > 0.9)
    }

    @Test func countsUnderAttackAreTheSameForAnyRanksThreadsAndBatch() throws {
        try train("full", ["--stages", "representation,location,joint"])
        let file = [checkpoint("full", "joint")]
        for (attack, steps) in [("fgsm", "1"), ("pgd", "2")] {
            let attacking = ["--attack", attack, "--attack-steps", steps, "--epsilon", "0,8/255"]
            let alone = try evaluate(file, attacking + ["--threads", "1"])
            for (ranks, more) in [
                (1, ["--threads", "2", "--batch-size", "16"]),
                (2, ["--threads", "1", "--batch-size", "8"]),
            ] {
                let other = try evaluate(file, ranks: ranks, attacking + more)
                for key in ["policies", "meanLogits", "robustness", "equalCoverage"] {
                    let pair = try [alone, other].map { report in
                        try JSONSerialization.data(
                            withJSONObject: #require(report[key]), options: .sortedKeys)
                    }
                    #expect(pair[0] == pair[1], "\(attack) \(key) \(more)")
                }
            }
            // Without a perturbation the prediction is that of the evaluation.
            let robustness = try #require(alone["robustness"] as? [String: Any])
            let attacked = try #require(robustness["predictions"] as? [String: [[String: Any]]])
            let policies = try #require(alone["policies"] as? [String: [[String: Any]]])
            #expect(
                attacked["learned"]?[0]["top1Count"] as? Int
                    == policies["learned"]?.last?["top1Count"] as? Int)
            let mean = try #require(alone["meanLogits"] as? [String: Any])
            #expect(
                attacked["meanLogits"]?[0]["top1Count"] as? Int == mean["top1Count"] as? Int)
        }
    }
}
