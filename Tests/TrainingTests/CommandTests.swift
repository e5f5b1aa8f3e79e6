import Checkpoints
import Foundation
import TestSupport
import Testing

/// The programs as a user starts them: train, inspect, evaluate, trace.
@Suite(.serialized) final class CommandTests {
    private let folder: TemporaryFolder
    private let configuration: String
    private let data: String
    private let output: String

    init() throws {
        folder = try TemporaryFolder()
        configuration = try SmallRun.writeConfiguration(folder)
        data = folder.path("data")
        output = folder.path("run")
        try SmallData.write(to: data)
    }

    private func train(_ more: [String] = []) throws -> CommandRun {
        try SmallRun.train(
            ranks: 2, configuration: configuration, data: data, output: output,
            ["--max-steps", "5"] + more)
    }

    @Test func aRunLeavesWhatTheContractPromises() throws {
        #expect(try train().status == 0)
        let manager = FileManager.default
        let files = try manager.contentsOfDirectory(atPath: output).sorted()
        #expect(files == ["checkpoints", "config.yaml", "metrics.jsonl"])
        let checkpoints = try manager.contentsOfDirectory(atPath: "\(output)/checkpoints").sorted()
        #expect(
            checkpoints == [
                "best.h5", "joint-00000005.h5", "last.h5", "location-00000005.h5",
                "representation-00000000.h5", "representation-00000005.h5",
            ])
        let last = try manager.destinationOfSymbolicLink(atPath: "\(output)/checkpoints/last.h5")
        #expect(last == "joint-00000005.h5")

        let lines = try String(contentsOfFile: "\(output)/metrics.jsonl", encoding: .utf8)
            .split(separator: "\n").map { line in
                try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            }
        let steps = lines.filter { $0["loss"] != nil }
        #expect(steps.count == 15)
        let keys: Set<String> = [
            "time", "stage", "step", "epoch", "samples", "loss", "accuracy", "learningRate",
            "gradientNorm", "imagesPerSecond", "allReduceSeconds", "dataWaitSeconds",
        ]
        for line in steps { #expect(keys.isSubset(of: line.keys)) }
        let joint = steps.filter { $0["stage"] as? String == "joint" }
        #expect(joint.count == 5)
        for line in joint { #expect(line["reward"] != nil && line["baseline"] != nil) }
        // 50 images in batches of 12: the fifth step takes the last two.
        #expect(steps[4]["samples"] as? Int == 50)
        #expect(lines.filter { $0["developmentAccuracy"] != nil }.count == 3)

        // Started again there is nothing left to do, and nothing changes.
        let metrics = try SmallRun.metrics(output)
        #expect(try train().status == 0)
        #expect(try SmallRun.metrics(output) == metrics)
    }

    @Test func aCheckpointIsInspectedEvaluatedAndTraced() throws {
        #expect(try train().status == 0)
        let checkpoint = "\(output)/checkpoints/last.h5"
        let inspection = try CommandRun("saccader-dist", ["inspect", checkpoint, "--json"])
        #expect(inspection.status == 0)
        let object =
            try JSONSerialization.jsonObject(with: Data(inspection.output.utf8)) as? [String: Any]
        #expect(object?["stage"] as? String == "joint" && object?["step"] as? Int == 5)

        let pictures = folder.path("evaluation")
        let arguments = [checkpoint, "--data", data, "--quiet", "--glimpses", "1...6", "--json"]
        let evaluation = try CommandRun("saccader-eval", arguments + ["--output", pictures])
        #expect(evaluation.status == 0, "\(evaluation.errors)")
        let results =
            try JSONSerialization.jsonObject(with: Data(evaluation.output.utf8)) as? [String: Any]
        #expect(results?["images"] as? Int == 10)
        let policies = results?["policies"] as? [String: [[String: Any]]] ?? [:]
        #expect(policies.count == 6 && policies.values.allSatisfy { $0.count == 6 })
        for (name, entries) in policies {
            let counts = entries.compactMap { $0["top1Count"] as? Int }
            #expect(counts.count == 6 && counts.allSatisfy { (0...10).contains($0) })
            let coverage = entries.compactMap { $0["coverage"] as? Double }
            #expect(coverage == coverage.sorted() && (coverage.first ?? 0) > 0, "\(name)")
            #expect(entries.allSatisfy { ($0["top5Count"] as? Int ?? -1) >= 0 })
            #expect(entries.allSatisfy { $0["hits"] != nil })
            let picture = FileManager.default.contents(atPath: "\(pictures)/glimpses-\(name).png")
            #expect(picture?.prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]), "\(name)")
        }
        let page = FileManager.default.contents(atPath: "\(pictures)/report.html") ?? Data()
        let html = String(decoding: page, as: UTF8.self)
        // Three plots, calibration, early exit and confusions, two sheets and maps of the learned
        // policy, a sheet of each of the others.
        #expect(html.components(separatedBy: "src=\"data:image/").count == 1 + 3 + 3 + 4 + 5)
        // The same counts for any number of threads.
        let again = try CommandRun("saccader-eval", arguments + ["--threads", "3"])
        #expect(again.output == evaluation.output)

        let trace = folder.path("trace.h5")
        let traced = try CommandRun(
            "saccader-dist",
            ["trace", checkpoint, "--objective", "inference", "--output", trace])
        #expect(traced.status == 65 && traced.messages.first?.contains("/batch/images") == true)
        #expect(!FileManager.default.fileExists(atPath: trace))
    }

    /// Whole numbers of images: the same for any division of the work.
    @Test func countsAreTheSameForAnyRanksThreadsAndBatchSize() throws {
        #expect(try train().status == 0)
        func counts(_ ranks: Int?, _ more: [String]) throws -> [String: [[Int]]] {
            let arguments =
                [
                    "\(output)/checkpoints/last.h5", "--data", data, "--split", "train", "--quiet",
                    "--glimpses", "1...4", "--json",
                ] + more
            let run =
                try ranks.map { try CommandRun("saccader-dist", ["eval"] + arguments, ranks: $0) }
                ?? CommandRun("saccader-eval", arguments)
            #expect(run.status == 0, "\(run.errors)")
            let object =
                try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
            #expect(object?["images"] as? Int == 50)
            let policies = object?["policies"] as? [String: [[String: Any]]] ?? [:]
            return policies.mapValues { entries in
                ["top1Count", "top5Count"].map { key in
                    entries.compactMap { $0[key] as? Int }
                }
            }
        }
        let alone = try counts(nil, ["--threads", "1"])
        #expect(alone.count == 6 && alone.values.allSatisfy { $0.map(\.count) == [4, 4] })
        #expect(alone.values.contains { $0[0].contains { $0 > 0 } })
        #expect(try counts(nil, ["--threads", "3", "--batch-size", "16"]) == alone)
        #expect(try counts(1, ["--threads", "2", "--batch-size", "8"]) == alone)
        #expect(try counts(2, ["--threads", "1", "--batch-size", "24"]) == alone)
        #expect(try counts(4, ["--threads", "1"]) == alone)
    }

    @Test func evaluationRefusesWhatDoesNotFit() throws {
        #expect(try train(["--stages", "representation"]).status == 0)
        let checkpoint = "\(output)/checkpoints/last.h5"
        func refused(_ arguments: [String], _ status: Int32, _ word: String) throws {
            let run = try CommandRun("saccader-eval", arguments + ["--quiet"])
            #expect(run.status == status, "\(run.errors)")
            #expect(run.messages.count == 1 && run.messages[0].contains(word), "\(run.errors)")
        }
        try refused([checkpoint, "--data", data, "--policies", "learned"], 64, "representation")
        let whole = [checkpoint, "--data", data]
        try refused(
            whole + ["--policies", "lerned"], 64, "lerned\" is no policy, did you mean lear")
        try refused(whole + ["--policies", "x"], 64, "\"x\" is no policy; choose from learned,")
        try refused(whole + ["--epsilon", "1/255"], 64, "--attack fgsm or pgd")
        try refused(whole + ["--attack", "fsgm"], 64, "did you mean fgsm?")
        try refused(whole + ["--draws", "0"], 64, "--draws is 0: give at least 1")
        try refused(whole + ["--image-size", "999999999"], 64, "give at most 8192")
        try refused(["a=", "--data", data], 64, "names no checkpoint")
        try refused(["\(output)/checkpoints", "--data", data], 66, "is a folder")
        try refused([checkpoint, "--data", data, "--glimpses", "0"], 64, "--glimpses")
        try refused(
            [checkpoint, "--data", data, "--glimpses", "9999"], 64,
            "glimpses that the model can take")
        try refused([checkpoint, "--data", folder.path("nowhere")], 66, "nowhere")
        try refused([folder.path("no.h5"), "--data", data], 66, "no.h5")
        try refused([configuration, "--data", data], 65, "config.yaml")
        try FileManager.default.removeItem(atPath: "\(data)/train/digits-0-1")
        try refused([checkpoint, "--data", data, "--split", "dev"], 65, "digits-0-1")
        try FileManager.default.removeItem(atPath: "\(data)/dev/digits-0-1")
        // A part of the classes is enough, another name is not.
        let part = try CommandRun(
            "saccader-eval", [checkpoint, "--data", data, "--split", "dev", "--quiet"])
        #expect(part.status == 0 && part.errors.contains("lacks 1 of the model's classes"))
        for subset in ["train", "dev"] {
            try FileManager.default.moveItem(
                atPath: "\(data)/\(subset)/digits-0-2", toPath: "\(data)/\(subset)/two")
        }
        try refused([checkpoint, "--data", data, "--split", "dev"], 65, "class two is unknown")
    }

    @Test func validationTrainsNothing() throws {
        let run = try train(["--validate"])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("shardSize: 4"))
        #expect(!FileManager.default.fileExists(atPath: output))
    }

    @Test func theEvaluationProgramLinksNoMPI() throws {
        let linked = try CommandRun("saccader-eval", ["--version"])
        #expect(linked.status == 0)
        let program = try Data(contentsOf: URL(fileURLWithPath: CommandRun.path("saccader-eval")))
        #expect(program.range(of: Data("libmpi".utf8)) == nil)
        let trainer = try Data(contentsOf: URL(fileURLWithPath: CommandRun.path("saccader-dist")))
        #expect(trainer.range(of: Data("libmpi".utf8)) != nil)
    }

    @Test func helpNamesEveryOption() throws {
        let help = try CommandRun("saccader-dist", ["train", "--help"])
        #expect(help.status == 0)
        for option in [
            "--config", "--set", "--output", "--stages", "--resume", "--max-steps", "--threads",
            "--validate", "--quiet",
        ] { #expect(help.output.contains(option)) }
        let wrong = try CommandRun("saccader-dist", ["trian"])
        #expect(wrong.status == 64)
    }
}
