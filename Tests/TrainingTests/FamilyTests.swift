import Checkpoints
import Foundation
import TestSupport
import Testing

/// Models of several families in one program: what they share, and what keeps them apart.
@Suite(.serialized) final class FamilyTests {
    private let folder: TemporaryFolder
    private let configuration: String
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        configuration = try SmallRun.writeConfiguration(folder)
        data = folder.path("data")
        try SmallData.write(to: data)
    }

    /// A checkpoint after one step of each stage.
    private func train(_ stages: String) throws -> String {
        let output = folder.path(stages)
        let run = try SmallRun.train(
            ranks: 1, configuration: configuration, data: data, output: output,
            ["--stages", stages, "--max-steps", "1"])
        #expect(run.status == 0, "\(run.errors)")
        return "\(output)/checkpoints/last.h5"
    }

    private func refused(
        _ program: String, _ arguments: [String], status: Int32, _ words: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let run = try CommandRun(program, arguments)
        #expect(run.status == status, "\(run.errors)", sourceLocation: sourceLocation)
        #expect(run.messages.count == 1, "\(run.errors)", sourceLocation: sourceLocation)
        for word in words {
            #expect(run.errors.contains(word), "\(run.errors)", sourceLocation: sourceLocation)
        }
    }

    @Test func aCheckpointSaysItsFamilyAndFilesOfBeforeAreRead() throws {
        for (stages, family) in [
            ("representation", "saccader"), ("classifier", "classifier"), ("dramPretrain", "dram"),
        ] {
            let path = try train(stages)
            #expect(try HDF5File.open(path).text("family") == family)
            let inspected = try CommandRun("saccader-dist", ["inspect", path, "--json"])
            #expect(inspected.output.contains("\"family\": \"\(family)\""), "\(inspected.errors)")
        }
        // The fixtures of the three families have no such attribute.
        for path in [try Fixture.path("residual"), try Fixture.path("classifier"), Fixture.dram] {
            #expect(try HDF5File.open(path).text("family") == nil)
            #expect(try CommandRun("saccader-dist", ["inspect", path]).status == 0)
        }
    }

    @Test func theDRAMIsEvaluatedBesideTheSaccader() throws {
        let (dram, saccader) = (
            try train("dramPretrain,dram"), try train("representation,location,joint")
        )
        let output = folder.path("compared")
        let run = try CommandRun(
            "saccader-eval",
            [
                "dram=\(dram)", "saccader=\(saccader)", "--data", data, "--quiet", "--output",
                output, "--glimpses", "1...25", "--occlusion", try train("classifier"),
                "--pictures", "4",
            ])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("dram ") && run.output.contains("saccader "))
        for file in [
            "comparison.html", "comparison.png", "dram/report.html", "dram/predictions.csv",
            "dram/glimpses-learned.png", "dram/occlusion-coverage.svg",
        ] {
            #expect(FileManager.default.fileExists(atPath: "\(output)/\(file)"), "\(file)")
        }
        let report = try String(contentsOfFile: "\(output)/dram/report.html", encoding: .utf8)
        #expect(report.contains("DRAM (learned)") && !report.contains("Saccader (learned)"))
    }

    @Test func aScoreIsThatOfTheEvaluationOnAnyRanksThreadsAndBatch() throws {
        let path = try train("dramPretrain,dram")
        let arguments = [path, "--data", data, "--json", "--quiet"]
        let alone = try CommandRun("saccader-eval", arguments)
        #expect(alone.status == 0, "\(alone.errors)")
        #expect(
            try CommandRun(
                "saccader-eval", arguments + ["--threads", "3", "--batch-size", "8"]
            ).output == alone.output)
        let together = try CommandRun("saccader-dist", ["eval"] + arguments, ranks: 2)
        #expect(together.output == alone.output, "\(together.errors)")
    }

    @Test func modelsAreKeptApart() throws {
        let (dram, saccader) = (try train("dramPretrain"), try train("representation"))
        try refused(
            "saccader-eval", [dram, "--data", data, "--policies", "orderedLogits"], status: 64,
            ["cannot follow the policy \"orderedLogits\"", "random,center"])
        try refused(
            "saccader-eval", [dram, "--data", data, "--policies", "learned"], status: 64,
            ["cannot follow the policy \"learned\"", "stage dram"])
        try refused(
            "saccader-eval", [dram, "--data", data, "--attack", "fgsm"], status: 64,
            ["--attack: ", "is a DRAM"])
        try refused(
            "saccader-eval", [saccader, dram, "--data", data], status: 64,
            ["has the stage dramPretrain", "like models"])
        try refused(
            "saccader-dist",
            [
                "trace", dram, "--objective", "inference", "--batch", Fixture.dram, "--output",
                folder.path("t.h5"),
            ], status: 65, ["holds a dram", "wants a checkpoint of the family saccader"])
        try refused(
            "saccader-dist",
            [
                "train", "--config", configuration, "--set", "data.path=\(data)", "--output",
                folder.path("representation"), "--stages", "dram",
            ], status: 64, ["is of stage representation, another model", "another --output"])
        try refused(
            "saccader-dist", ["train", "--stages", "joint,dram"], status: 64,
            ["--stages: joint and dram train models of their own"])
    }

    @Test(arguments: [
        ("model.dram.glimpseSize=65", "but images have 64 pixels"),
        ("model.dram.glimpseSize=20", "leaves 1 or 2 when divided by 4"),
        ("model.dram.classificationResolutions=4", "give 1 to 3"),
        ("model.dram.classificationResolutions=0", "give 1 to 3"),
        ("model.dram.blocks=[1]", "give one per group"),
        ("stages.dram.deviation=0", "give more than 0"),
        ("stages.dram.baseline=mean", "must be one of batch, glimpse"),
        ("stages.dram.firstGlimpses=[1,3]", "give numbers from 1 to glimpses, 2"),
        ("stages.dram.firstGlimpses=[0]", "has 0"),
        ("stages.dram.reward=first", "must be one of last, everyGlimpse"),
    ])
    func whatTheDRAMCannotBeIsSaid(setting: String, words: String) throws {
        let key = setting.split(separator: "=")[0]
        try refused(
            "saccader-dist",
            [
                "train", "--config", configuration, "--set", setting, "--set",
                "data.path=\(data)", "--stages", "dramPretrain,dram", "--output",
                folder.path("x"),
            ], status: 64, ["\(key)", words])
    }

    @Test(arguments: [
        ("inference", "residual", "stages.joint.glimpses"),
        ("dramInference", "", "stages.dram.glimpses"),
    ])
    func aTraceOfNoGlimpsesIsRefused(objective: String, file: String, key: String) throws {
        let path = file.isEmpty ? Fixture.dram : try Fixture.path(file)
        for count in [0, -1] {
            try refused(
                "saccader-dist",
                [
                    "trace", path, "--objective", objective, "--set", "\(key)=\(count)",
                    "--output", folder.path("t.h5"),
                ], status: 64, [key, "is \(count)"])
        }
    }

    @Test func samplesThatDoNotFitTheMemoryAreRefused() throws {
        try refused(
            "saccader-dist",
            [
                "train", "--config", configuration, "--set", "data.path=\(data)", "--stages",
                "dram",
                "--set", "stages.dram.samples=1000", "--set", "stages.dram.glimpses=1000",
                "--output", folder.path("x"), "--validate",
            ], status: 64, ["stages.dram.batchSize is too large"])
    }

    @Test func aSpreadOfDrawsIsNotOneOfCheckpoints() throws {
        let run = try CommandRun(
            "saccader-eval", [try train("dramPretrain"), "--data", data, "--quiet"])
        #expect(run.output.contains("random, T = 2, mean of 5 draws, SD"), "\(run.output)")
    }

    @Test func placesOfTheWrongShapeAreRefused() throws {
        try refused(
            "saccader-dist",
            [
                "trace", Fixture.dram, "--objective", "dram", "--set", "stages.dram.samples=3",
                "--output", folder.path("t.h5"),
            ], status: 65, ["/batch/locations has shape [2, 4, 3, 2]; expected [3, 4, 3, 2]"])
    }
}
