import Foundation
import TestSupport
import Testing

/// A log whose checkpoints somebody has deleted.
@Suite(.serialized) struct KeptMetricsTests {
    @Test func theLogOfARunWithoutCheckpointsIsKeptUnderAnotherName() throws {
        let folder = try TemporaryFolder()
        let (configuration, data) = (
            try SmallRun.writeConfiguration(folder), folder.path("data")
        )
        try SmallData.write(to: data)
        let output = folder.path("run")
        func train(_ output: String, _ more: [String] = []) throws -> CommandRun {
            try SmallRun.train(
                ranks: 1, configuration: configuration, data: data, output: output,
                ["--stages", "representation", "--max-steps", "3"] + more)
        }
        func text(_ name: String) throws -> String {
            try String(contentsOfFile: "\(output)/\(name)", encoding: .utf8)
        }
        #expect(try train(output).messages.isEmpty)
        // With its checkpoints it is gone on with, as far as there is something to do.
        #expect(try train(output).messages.map { $0.contains("nothing to do") } == [true])
        for (number, more) in [[], ["--resume", "\(folder.path("other"))/checkpoints/last.h5"]]
            .enumerated()
        {
            if !more.isEmpty { #expect(try train(folder.path("other")).status == 0) }
            let before = try text("metrics.jsonl")
            #expect(!before.isEmpty)
            try FileManager.default.removeItem(atPath: "\(output)/checkpoints")
            let again = try train(output, more)
            #expect(again.status == 0, "\(again.errors)")
            let name = "metrics-\(number + 1).jsonl"
            #expect(try text(name) == before)
            let warnings = again.messages.filter { $0.contains("warning") }
            #expect(warnings.count == 1, "\(again.errors)")
            #expect(warnings.first?.contains("kept as \(output)/\(name)") == true)
        }
    }

    @Test func theUsersOwnSettingsInTheOutputFolderAreKept() throws {
        let folder = try TemporaryFolder()
        let data = folder.path("data")
        try SmallData.write(to: data)
        // --config config.yaml --output .
        let configuration = try SmallRun.writeConfiguration(folder)
        func train() throws -> CommandRun {
            try SmallRun.train(
                ranks: 1, configuration: configuration, data: data, output: folder.path,
                ["--stages", "representation", "--max-steps", "2"])
        }
        let first = try train()
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.messages.first?.contains("kept as \(folder.path("config-1.yaml"))") == true)
        let kept = try String(contentsOfFile: folder.path("config-1.yaml"), encoding: .utf8)
        #expect(kept == SmallRun.configuration)
        // Now it is the run's own.
        #expect(try train().messages.map { $0.contains("nothing to do") } == [true])
        #expect(!FileManager.default.fileExists(atPath: folder.path("config-2.yaml")))
    }
}
