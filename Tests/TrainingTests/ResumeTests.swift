import Foundation
import TestSupport
import Testing

/// What `--resume` means where there are several things to go on from.
@Suite(.serialized) final class ResumeTests {
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

    private func train(
        steps: Int, _ more: [String] = [], ranks: Int = 1, output: String? = nil
    ) throws -> CommandRun {
        try SmallRun.train(
            ranks: ranks, configuration: configuration, data: data, output: output ?? self.output,
            ["--stages", "representation", "--max-steps", "\(steps)"] + more)
    }

    private func steps(_ output: String) throws -> [Double] {
        try SmallRun.metrics(output).filter { $0["loss"] != nil }.compactMap { $0["step"] }
    }

    @Test(arguments: [1, 2]) func neverRefusesAFolderWithARun(ranks: Int) throws {
        #expect(try train(steps: 2, ["--resume", "never"], ranks: ranks).status == 0)
        let before = try SmallRun.metrics(output)
        let run = try train(steps: 3, ["--resume", "never"], ranks: ranks)
        #expect(run.status == 64)
        #expect(run.messages.count == 1, "\(run.messages)")
        #expect(
            run.messages.first?.contains("run holds a run, up to step 2 of stage representation")
                == true, "\(run.messages)")
        #expect(try SmallRun.metrics(output) == before)
    }

    /// As a scheduler does that starts a job again.
    @Test func theSameCommandGoesOnFromWhatItSavedItself() throws {
        let other = folder.path("other")
        #expect(try train(steps: 2, output: other).status == 0)
        let start = ["--resume", "\(other)/checkpoints/last.h5"]
        #expect(try train(steps: 4, start).status == 0)
        // What it started from is no longer needed.
        try FileManager.default.removeItem(atPath: other)
        let run = try train(steps: 6, start, ranks: 2)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.messages.count == 1 && run.messages[0].contains("not from --resume \(other)"))
        #expect(try steps(output) == [3, 4, 5, 6])
    }

    @Test func aCheckpointOfItsOwnIsTakenAtItsWord() throws {
        #expect(try train(steps: 4, ["--set", "checkpoint.everySteps=3"]).status == 0)
        let run = try train(
            steps: 4,
            ["--resume", "\(output)/checkpoints/../checkpoints/representation-00000003.h5"])
        #expect(run.status == 0 && run.messages.isEmpty, "\(run.errors)")
        #expect(try steps(output) == [1, 2, 3, 4])
    }

    @Test func otherSettingsAreTold() throws {
        #expect(try train(steps: 1).messages.isEmpty)
        #expect(try train(steps: 2, ["--set", "checkpoint.keep=3"]).messages.isEmpty)
        let run = try train(
            steps: 3, ["--set", "seed=7", "--set", "stages.representation.batchSize=8"])
        #expect(run.status == 0 && run.messages.count == 1, "\(run.errors)")
        #expect(
            run.messages.first?.contains(
                "representation-00000002.h5 was written with other settings: seed was 0 and is 7, "
                    + "stages.representation.batchSize was 12 and is 8; going on") == true,
            "\(run.messages)")
    }
}
