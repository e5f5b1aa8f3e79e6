import Checkpoints
import Foundation
import TestSupport
import Testing

/// A run that goes on with other images or settings than it began with: 50 images, 4 epochs.
@Suite(.serialized) final class ChangedRunTests {
    private let folder: TemporaryFolder
    private let configuration: String
    private let data: String
    private let output: String

    init() throws {
        folder = try TemporaryFolder()
        configuration = try SmallRun.writeConfiguration(folder)
        (data, output) = (folder.path("data"), folder.path("run"))
        try SmallData.write(to: data)
    }

    private func train(
        steps: Int? = nil, stages: String = "representation", output: String? = nil,
        ranks: Int = 1, _ more: [String] = []
    ) throws -> CommandRun {
        let run = try SmallRun.train(
            ranks: ranks, configuration: configuration, data: data, output: output ?? self.output,
            ["--stages", stages] + (steps.map { ["--max-steps", "\($0)"] } ?? []) + more)
        #expect(run.status == 0, "\(run.errors)")
        return run
    }

    private func end(_ output: String? = nil) throws -> CheckpointHeader {
        try Checkpoint(reading: "\(output ?? self.output)/checkpoints/last.h5").header
    }

    private static let doubled = ["--set", "stages.representation.batchSize=24"]

    @Test func aBatchSizeDoubledInTheMiddleEndsWithTheSameImages() throws {
        // 50 + 12 images.
        _ = try train(steps: 6)
        let run = try train(Self.doubled)
        #expect(run.messages.count == 1, "\(run.errors)")
        #expect(
            run.messages.first?.contains(
                "after 62 images and 1.24 of 4 epochs of stage representation: 8 more steps of 24 "
                    + "take 138 more") == true, "\(run.messages)")
        let header = try end()
        #expect(header.samples == 200 && header.epoch == 4 && header.step == 14)
        let metrics = try SmallRun.metrics(output).filter { $0["loss"] != nil }
        #expect(metrics.last?["epoch"] == 4 && metrics.last?["samples"] == 200)
        let rates = metrics.compactMap { $0["learningRate"] }
        // The schedule goes on where it was and ends where it ends for such batches.
        #expect(rates.last.map { $0 < 0.005 } == true && rates.dropFirst(4).max() == rates[4])
        #expect(zip(rates.dropFirst(5), rates.dropFirst(6)).allSatisfy { $0 > $1 })
        // Stopped once more and on other ranks: the same bits.
        let other = folder.path("other")
        _ = try train(steps: 6, output: other)
        _ = try train(steps: 8, output: other, Self.doubled)
        _ = try train(output: other, ranks: 2, Self.doubled)
        #expect(
            try RewrittenCheckpoint.arrays("\(output)/checkpoints/last.h5")
                == RewrittenCheckpoint.arrays("\(other)/checkpoints/last.h5"))
    }

    @Test func imagesThatAreGoneAreTold() throws {
        // Two epochs.
        _ = try train(steps: 10)
        let train = "\(data)/train"
        var left = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: train) {
            let files = try FileManager.default.contentsOfDirectory(atPath: "\(train)/\(name)")
                .sorted()
            for file in files.dropFirst(2) {
                try FileManager.default.removeItem(atPath: "\(train)/\(name)/\(file)")
            }
            left += min(2, files.count)
        }
        let run = try self.train()
        #expect(run.messages.count == 1, "\(run.errors)")
        #expect(
            run.messages.first?.contains(
                "with other images: training images were 50 and are \(left); going on with the "
                    + "present ones, after 100 images and 2 of 4 epochs") == true,
            "\(run.messages)")
        let header = try end()
        #expect(header.epoch == 4 && header.samples == 100 + 2 * left)
        #expect(header.images?.training.count == left)
        // Nothing has changed since.
        let again = try self.train()
        #expect(again.messages.map { $0.contains("nothing to do") } == [true], "\(again.errors)")
    }

    @Test func renamedImagesAreTold() throws {
        _ = try train(steps: 2)
        func best() throws -> Int {
            try Checkpoint(reading: "\(output)/checkpoints/best.h5").header.step
        }
        // A score that no other can reach.
        let scored = "\(output)/checkpoints/representation-00000002.h5"
        try RewrittenCheckpoint.write(scored, to: scored) { $0.developmentAccuracy = 2 }
        _ = try train(steps: 3)
        #expect(try best() == 2)
        let path = "\(data)/dev/digits-0-1/"
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: path).first)
        try FileManager.default.moveItem(atPath: path + name, toPath: path + "renamed.JPEG")
        let run = try train(steps: 4)
        #expect(run.messages.count == 1, "\(run.errors)")
        #expect(run.errors.contains("other images: 21 development images have other names"))
        #expect(try best() == 4)
    }

    @Test func nothingToDoIsSaid() throws {
        _ = try train(steps: 6, stages: "representation,location")
        let lowered = try train(
            stages: "location", ["--set", "stages.location.epochs=1"])
        #expect(lowered.errors.contains("nothing to do"), "\(lowered.errors)")
        #expect(lowered.errors.contains("stages.location.epochs = 1 ends there or before"))
        let earlier = try train(stages: "representation")
        #expect(
            earlier.messages.contains {
                $0.contains(
                    "is at step 6 of stage location, which comes after --stages representation")
                    && $0.contains("--init-from")
            }, "\(earlier.errors)")
        #expect(try end().stage == "location" && end().step == 6)
    }
}
