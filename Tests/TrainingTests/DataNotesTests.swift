import Checkpoints
import Foundation
import Layers
import Models
import TestSupport
import Testing

@testable import Evaluation
@testable import StoredModels

/// What training and evaluation say of images and numbers that are not as their owner thinks.
@Suite final class DataNotesTests {
    private let folder: TemporaryFolder
    private let configuration: String
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        data = folder.path("data")
        try SmallData.write(to: data)
        configuration = try SmallRun.writeConfiguration(folder)
    }

    private func train(_ more: [String] = []) throws -> CommandRun {
        try SmallRun.train(
            ranks: 1, configuration: configuration, data: data, output: folder.path("run"),
            ["--stages", "representation", "--max-steps", "1"] + more)
    }

    private func evaluate(_ checkpoint: String, _ more: [String] = []) throws -> CommandRun {
        try CommandRun(
            "saccader-eval",
            [checkpoint, "--data", data, "--quiet", "--glimpses", "1,2", "--pictures", "2"] + more)
    }

    private var last: String { folder.path("run/checkpoints/last.h5") }

    @Test func trainingTellsOfWhatIsMissing() throws {
        try FileManager.default.removeItem(atPath: "\(data)/dev")
        try FileManager.default.createDirectory(
            atPath: "\(data)/train/.ipynb_checkpoints", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(
            atPath: "\(data)/test/0", withIntermediateDirectories: true)
        let run = try train(["--set", "data.developmentFraction=0"])
        #expect(run.status == 0, "\(run.errors)")
        let told = run.messages
        for words in [
            "no best.h5", ".ipynb_checkpoints", "beside train, val and dev, passed over: 1 (test)",
        ] {
            #expect(told.contains { $0.contains("warning: ") && $0.contains(words) }, "\(told)")
        }
    }

    @Test func evaluationTellsOfMissingClassesAndHoldsOneEvaluation() throws {
        try #require(try train().status == 0)
        // Training without a word: nothing is wrong with these images.
        #expect(try !train(["--max-steps", "2"]).errors.contains("warning"))
        for name in try FileManager.default.contentsOfDirectory(atPath: "\(data)/val").sorted()
            .prefix(1)
        {
            try FileManager.default.removeItem(atPath: "\(data)/val/\(name)")
        }
        let output = folder.path("evaluation")
        var run = try evaluate(last, ["--output", output])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors.contains("warning: val has no image of some classes"))
        let predictions = try String(contentsOfFile: "\(output)/predictions.csv", encoding: .utf8)
        let lines = predictions.split(separator: "\n").map { $0.split(separator: ",") }
        #expect(lines[0].suffix(3) == ["word", "predicted", "probability"])
        #expect(lines[0][2] == "class" && lines.count == 10)
        // The same folder again, without what only the first evaluation had.
        run = try evaluate(last, ["--output", output, "--pictures", "0"])
        #expect(run.status == 0, "\(run.errors)")
        let names = try FileManager.default.contentsOfDirectory(atPath: output)
        #expect(names.contains("report.html") && !names.contains { $0.hasPrefix("glimpses-") })
        // A folder with somebody's report.
        try FileManager.default.createDirectory(
            atPath: folder.path("mine"), withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: URL(fileURLWithPath: folder.path("mine/report.html")))
        run = try evaluate(last, ["--output", folder.path("mine")])
        #expect(run.status == 73 && run.errors.contains("mine/report.html"), "\(run.errors)")
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: folder.path("mine/report.html"))).count == 4)
    }

    /// A checkpoint of which every number of the first parameter is `value`.
    private func checkpoint(_ value: Float, in path: String) throws -> String {
        let checkpoint = try Checkpoint(reading: last)
        let stored = try StoredModel(checkpoint)
        for parameter in stored.store.layout.parameters where parameter.path == path {
            stored.store.values(parameter).update(repeating: value, count: parameter.count)
        }
        for statistic in stored.store.layout.statistics where statistic.path == path {
            stored.store.values(statistic).update(repeating: value, count: statistic.count)
        }
        let changed = folder.path("changed.h5")
        try Checkpoint.write(
            to: changed, header: checkpoint.header, arrays: stored.store.checkpointArrays())
        return changed
    }

    @Test func numbersThatAreNotFiniteAreRefused() throws {
        try #require(try train().status == 0)
        for (value, path) in [
            (Float.nan, "representation/logits/bias"),
            (.infinity, "representation/stem/norm/mean"),
            (-3e38, "representation/stem/conv/kernel"),
        ] {
            let run = try evaluate(checkpoint(value, in: path))
            #expect(run.status == 65, "\(run.errors)")
            #expect(run.errors.contains("/model/\(path) holds"), "\(run.errors)")
        }
        // Each number is one to compute with, their sums are not; then one whose answers are absurd.
        for (value, path) in [
            (Float(1e19), "representation/logits/kernel"), (1e15, "representation/logits/kernel"),
        ] {
            let run = try evaluate(checkpoint(value, in: path))
            #expect(run.status == 0 || run.status == 65, "\(run.status) \(run.errors)")
        }
    }

    @Test func logitsThatAreNotFiniteAreRefused() throws {
        var view = ModelOutput()
        view.whole = [1, 2]
        try LogitsError.check(view, image: "val/a/0.JPEG")
        view.whole = [1, .nan]
        #expect(throws: LogitsError.self) { try LogitsError.check(view, image: "val/a/0.JPEG") }
        view.whole = nil
        view.sequences[.center] = [
            GlimpseSequence(windows: [], places: [], predictions: [[0], [.infinity]])
        ]
        #expect {
            try LogitsError.check(view, image: "val/a/0.JPEG")
        } throws: {
            "\($0)".hasPrefix("val/a/0.JPEG: the model's logits are not finite")
        }
    }
}
