import Checkpoints
import Foundation
import TestSupport
import Testing

/// A second network trained and evaluated as a user does it, on the places of a small Saccader.
@Suite(.serialized) final class GlimpseRunTests {
    private let folder: TemporaryFolder
    private let configuration: String
    private let data: String
    private let locator: String

    private static let settings = [
        "data.patchImageSize=80", "glimpse.windowSize=24", "model.nasnet.stemChannels=4",
        "model.nasnet.filters=4", "model.nasnet.cellsPerGroup=1", "stages.glimpse.glimpses=2",
        "stages.glimpse.batchSize=12", "stages.glimpse.shardSize=4", "stages.glimpse.epochs=4",
        "stages.glimpse.headLearningRate=0.03", "model.nasnet.dropPath=0.3", "glimpse.jitter=2",
        "glimpse.randomPlaces=0.3",
    ]

    init() throws {
        folder = try TemporaryFolder()
        configuration = try SmallRun.writeConfiguration(folder)
        data = folder.path("data")
        try SmallData.write(to: data)
        let run = try SmallRun.train(
            ranks: 1, configuration: configuration, data: data, output: folder.path("locator"),
            ["--stages", "representation,location", "--max-steps", "1"])
        #expect(run.status == 0, "\(run.errors)")
        locator = folder.path("locator/checkpoints/last.h5")
    }

    private func train(
        _ name: String, ranks: Int = 1, threads: Int = 1, steps: Int = 5, _ more: [String] = [],
        locator: String? = nil
    ) throws -> CommandRun {
        let settings = Self.settings + ["glimpse.locator=\(locator ?? self.locator)"]
        return try SmallRun.train(
            ranks: ranks, threads: threads, configuration: configuration, data: data,
            output: folder.path(name),
            ["--stages", "glimpse", "--max-steps", "\(steps)"]
                + settings.flatMap { ["--set", $0] } + more)
    }

    private func arrays(_ name: String) throws -> [String: [Float]] {
        let file = try HDF5File.open(folder.path("\(name)/checkpoints/last.h5"))
        let paths =
            file.datasets(under: "/model").map { "/model/\($0)" }
            + file.datasets(under: "/optimizer").map { "/optimizer/\($0)" }
        return Dictionary(uniqueKeysWithValues: try paths.map { ($0, try file.floats($0)) })
    }

    @Test(arguments: ["nasnet", "resnetv2"])
    func ranksThreadsAndStopsChangeNothing(network: String) throws {
        let more = ["--set", "glimpse.network=\(network)"]
        let first = try train("alone", more)
        #expect(first.status == 0, "\(first.errors)")
        let alone = try arrays("alone")
        // The frozen model's numbers lie beside, untouched and without momentum.
        let origin = try HDF5File.open(locator)
        let frozen = origin.datasets(under: "/model")
        #expect(frozen.count > 20)
        for path in frozen {
            #expect(try origin.floats("/model/\(path)") == alone["/model/\(path)"], "\(path)")
            #expect(alone.keys.filter { $0.hasPrefix("/optimizer") && $0.hasSuffix(path) }.isEmpty)
        }
        for (ranks, threads) in [(1, 2), (2, 1), (4, 1), (8, 1)] {
            let name = "\(ranks)x\(threads)"
            let run = try train(name, ranks: ranks, threads: threads, more)
            #expect(run.status == 0, "\(run.errors)")
            #expect(try arrays(name) == alone, "\(name)")
        }
        _ = try train("parts", ranks: 4, steps: 2, more)
        _ = try train("parts", ranks: 2, steps: 5, more)
        #expect(try arrays("parts") == alone)
        // Something was learned.
        _ = try train("less", steps: 2, more)
        #expect(try arrays("less") != alone)
    }

    @Test func oneFileIsInspectedAndEvaluated() throws {
        let trained = try train("run")
        #expect(trained.status == 0, "\(trained.errors)")
        let path = folder.path("run/checkpoints/last.h5")
        let inspected = try CommandRun("saccader-dist", ["inspect", path])
        #expect(inspected.status == 0, "\(inspected.errors)")
        #expect(inspected.output.contains("24 pixels of 80×80"), "\(inspected.output)")
        #expect(inspected.output.contains("saccader, \(locator), step 1, checksum "))
        try FileManager.default.removeItem(atPath: locator)
        let output = folder.path("evaluation")
        let arguments = [path, "--data", data, "--json", "--quiet", "--glimpses", "1...6"]
        let alone = try CommandRun(
            "saccader-eval", arguments + ["--output", output, "--pictures", "4"])
        #expect(alone.status == 0, "\(alone.errors)")
        for file in ["report.html", "glimpses-learned.png", "policy-learned.png"] {
            #expect(FileManager.default.fileExists(atPath: "\(output)/\(file)"), "\(file)")
        }
        #expect(
            try CommandRun(
                "saccader-eval", arguments + ["--threads", "3", "--batch-size", "8"]
            ).output == alone.output)
        let together = try CommandRun("saccader-dist", ["eval"] + arguments, ranks: 2)
        #expect(together.output == alone.output, "\(together.errors)")
    }

    /// A locator whose glimpses are weighted means says where by its policy all the same.
    @Test func aSoftLocatorSaysWhere() throws {
        let soft = try SmallRun.train(
            ranks: 1, configuration: configuration, data: data, output: folder.path("soft"),
            [
                "--stages", "representation,location,joint", "--max-steps", "1", "--set",
                "model.cell.soft=true",
            ])
        #expect(soft.status == 0, "\(soft.errors)")
        let path = folder.path("soft/checkpoints/last.h5")
        for (name, ranks) in [("one", 1), ("two", 2)] {
            let run = try train(name, ranks: ranks, steps: 2, locator: path)
            #expect(run.status == 0, "\(run.errors)")
        }
        #expect(try arrays("one") == arrays("two"))
        let evaluated = try CommandRun(
            "saccader-eval",
            [
                folder.path("one/checkpoints/last.h5"), "--data", data, "--json", "--quiet",
                "--glimpses", "1,6",
            ])
        #expect(evaluated.status == 0, "\(evaluated.errors)")
        #expect(evaluated.output.contains("learned"), "\(evaluated.output)")
    }

    @Test func badInputIsToldInOneLine() throws {
        func refused(
            _ name: String, _ more: [String] = [], locator: String? = nil, status: Int32,
            _ words: String
        ) throws {
            let run = try train(name, more, locator: locator)
            #expect(run.status == status, "\(run.errors)")
            #expect(run.messages.count == 1 && run.errors.contains(words), "\(run.errors)")
        }
        try refused("a", locator: "", status: 64, "glimpse.locator names no checkpoint")
        try refused("b", locator: folder.path("none.h5"), status: 66, "none.h5")
        try refused(
            "c", ["--set", "model.classes=11"], status: 64,
            "was trained on 10 classes, but model.classes is 11")
        try refused(
            "d", ["--set", "glimpse.windowSize=18"], status: 64, "a NASNet-A takes at least 19")
        try refused(
            "e", ["--set", "glimpse.windowSize=81"], status: 64, "more than the 80 pixels")
        try refused(
            "f", ["--set", "data.patchImageSize=32"], status: 64, "less than data.imageSize 64")
        let run = try SmallRun.train(
            ranks: 1, configuration: configuration, data: data, output: folder.path("judge"),
            ["--stages", "classifier", "--max-steps", "1"])
        #expect(run.status == 0, "\(run.errors)")
        try refused(
            "g", locator: folder.path("judge/checkpoints/last.h5"), status: 65,
            "holds a classifier, which has no places")
        let early = try SmallRun.train(
            ranks: 1, configuration: configuration, data: data, output: folder.path("early"),
            ["--stages", "representation", "--max-steps", "1"])
        #expect(early.status == 0, "\(early.errors)")
        try refused(
            "h", locator: folder.path("early/checkpoints/last.h5"), status: 65,
            "in which the policy is not trained")
    }
}
