import Checkpoints
import Foundation
import TestSupport
import Testing

/// Bad input under mpirun: one line that names the thing and the remedy, the contract's exit code,
/// all ranks ended within five seconds, nothing half-written.
@Suite(.serialized) final class BadInputTests {
    private let folder: TemporaryFolder
    private let configuration: String
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        configuration = try SmallRun.writeConfiguration(folder)
        data = folder.path("data")
        try SmallData.write(to: data)
    }

    private func expect(
        _ status: Int32, _ words: [String], ranks: Int = 2, data: String? = nil,
        output: String? = nil, isUntouched: Bool = true, _ more: [String] = []
    ) throws {
        let output = output ?? folder.path("output")
        let run = try SmallRun.train(
            ranks: ranks, configuration: configuration, data: data ?? self.data, output: output,
            more)
        #expect(run.status == status, "\(run.errors)")
        // Within five seconds on a machine of its own; this one may be busy.
        #expect(run.seconds < Waiting.limit)
        #expect(run.messages.count == 1, "\(run.errors)")
        for word in words {
            #expect(run.messages.first?.contains(word) == true, "\(word) in \(run.messages)")
        }
        #expect(run.messages.first?.contains("rank ") == true)
        let manager = FileManager.default
        if isUntouched { #expect(!manager.fileExists(atPath: output)) }
        let left = manager.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
        #expect(!left.contains { $0.hasSuffix(".tmp") })
    }

    @Test func unknownKey() throws {
        try expect(
            64, ["stages.joint.glimses", "glimpses"], ["--set", "stages.joint.glimses=3"])
    }

    @Test func wrongType() throws {
        try expect(64, ["stages.joint.glimpses", "many"], ["--set", "stages.joint.glimpses=many"])
    }

    @Test func impossibleValue() throws {
        try expect(
            64, ["stages.joint.glimpses", "locations"], ["--set", "stages.joint.glimpses=5000"])
    }

    @Test func missingConfiguration() throws {
        try expect(66, ["nowhere.yaml", "--config"], ["--config", folder.path("nowhere.yaml")])
    }

    @Test func missingDataFolder() throws {
        try expect(66, ["nowhere/train", "data.path"], data: folder.path("nowhere"))
    }

    @Test func folderWithoutImages() throws {
        let empty = folder.path("empty")
        try FileManager.default.createDirectory(
            atPath: "\(empty)/train/class", withIntermediateDirectories: true)
        try expect(66, ["empty/train", "no images"], data: empty)
    }

    @Test func unreadableImage() throws {
        let path = "\(data)/train/digits-0-1"
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: path).sorted().first)
        try Data("no image".utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        try expect(65, [name, "repair or remove"], isUntouched: false)
    }

    @Test func checkpointOfAnotherShape() throws {
        let other = folder.path("other")
        let run = try SmallRun.train(
            ranks: 1, configuration: configuration, data: data, output: other,
            ["--max-steps", "1", "--stages", "representation"])
        #expect(run.status == 0, "\(run.errors)")
        try expect(
            65, ["last.h5", "shape"], isUntouched: false,
            [
                "--resume", "\(other)/checkpoints/last.h5", "--set",
                "model.representation.stemChannels=12",
            ])
    }

    @Test func aRunThatDivergesSaysWhereAndKeepsItsCheckpoint() throws {
        let output = folder.path("output")
        try expect(
            70,
            [
                "stage representation, step ", " is not finite, first on rank 0 in train/digits-",
                ".JPEG; the last checkpoint is intact: lower stages.representation.learningRate",
            ], isUntouched: false, ["--set", "stages.representation.learningRate=1e25"])
        let last = try Checkpoint(reading: "\(output)/checkpoints/last.h5")
        try last.verify()
        for name in last.file.datasets(under: "/model") {
            #expect(try last.file.floats("/model/\(name)").allSatisfy(\.isFinite), "\(name)")
        }
    }

    @Test func theClassifierIsTrainedInARunOfItsOwn() throws {
        try expect(64, ["--stages", "classifier"], ["--stages", "joint,classifier"])
        let other = folder.path("other")
        let run = try SmallRun.train(
            ranks: 1, configuration: configuration, data: data, output: other,
            ["--max-steps", "1", "--stages", "representation"])
        #expect(run.status == 0, "\(run.errors)")
        let before = try SmallRun.metrics(other)
        try expect(
            64, ["representation", "--output"], output: other, isUntouched: false,
            ["--stages", "classifier"])
        #expect(try SmallRun.metrics(other) == before)
    }

    @Test func moreRanksThanImages() throws {
        try expect(64, ["batch", "13 ranks"], ranks: 13)
    }

    @Test func tooManyClasses() throws {
        try expect(65, ["model.classes"], ["--set", "model.classes=9"])
    }

    @Test func outputThatCannotBeWritten() throws {
        let file = folder.path("file")
        try Data().write(to: URL(fileURLWithPath: file))
        try expect(73, ["file/output", "--output"], output: "\(file)/output")
    }

    @Test func aFolderIsNoCheckpoint() throws {
        try expect(66, ["data: is a folder; give a checkpoint such as DIR/"], ["--resume", data])
    }

    @Test func notACheckpoint() throws {
        try expect(65, ["config.yaml"], ["--resume", configuration])
    }
}
