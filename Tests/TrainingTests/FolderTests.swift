import Foundation
import TestSupport
import Testing

/// Two runs in one output folder.
@Suite(.serialized) final class FolderTests {
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

    private func start() throws -> StartedCommand {
        let started = try StartedCommand(
            "saccader-dist",
            [
                "train", "--config", configuration, "--set", "data.path=\(data)", "--output",
                output, "--threads", "1", "--quiet", "--set",
                "stages.representation.epochs=1000",
            ], ranks: 2)
        try Waiting.lines(7, in: output)
        return started
    }

    private func train(ranks: Int) throws -> CommandRun {
        try SmallRun.train(
            ranks: ranks, configuration: configuration, data: data, output: output,
            ["--max-steps", "3", "--set", "stages.representation.epochs=1000"])
    }

    @Test func aSecondRunIsRefusedAndGoesOnAtOnceWhenTheFirstIsKilled() throws {
        let first = try start()
        let rank = try first.ranks()[0]
        for ranks in [1, 2] {
            let second = try train(ranks: ranks)
            #expect(second.status == 73, "\(second.errors)")
            #expect(second.messages.count == 1, "\(second.errors)")
            let message = second.messages.first ?? ""
            #expect(message.contains("\(output): another run writes there, "), "\(message)")
            let host = ProcessInfo.processInfo.hostName
            #expect(message.contains("process \(rank) on \(host); wait for its end"), "\(message)")
        }
        // The first is as it was.
        #expect(StartedCommand.isAlive(rank))
        #expect(FileManager.default.fileExists(atPath: "\(output)/.ranks/1.json"))
        // mpirun itself, so that nobody tidies up, and the ranks with it.
        for process in [first.identifier] + (try first.ranks()) { kill(process, SIGKILL) }
        _ = try first.wait()
        let third = try train(ranks: 2)
        #expect(third.status == 0, "\(third.errors)")
        #expect(third.messages.isEmpty, "\(third.errors)")
        #expect(third.seconds < Waiting.limit)
        #expect(!FileManager.default.fileExists(atPath: "\(output)/.lock"))
    }

    /// Somebody has deleted the lock: a second run is refused all the same, and the first one goes on.
    @Test func aDeletedLockIsTakenAgain() throws {
        let first = try start()
        unlink("\(output)/.lock")
        let second = try train(ranks: 1)
        #expect(second.status == 73, "\(second.errors)")
        #expect(
            second.messages.first?.contains("\(output): another run writes there, ") == true,
            "\(second.errors)")
        try Waiting.until("the lock") {
            FileManager.default.fileExists(atPath: "\(output)/.lock")
        }
        kill(first.identifier, SIGUSR1)
        let run = try first.wait()
        #expect(run.status == 75, "\(run.errors)")
        #expect(run.errors.contains("/.lock was deleted, or the folder moved; claimed again"))
        #expect(!FileManager.default.fileExists(atPath: "\(output)/.lock"))
        let files = try FileManager.default.contentsOfDirectory(atPath: output)
        #expect(!files.contains("metrics-1.jsonl"), "\(files)")
    }

    /// Through a mount that shares no locks, a second run signs the file: the first one ends.
    @Test func aRunWhoseFolderAnotherHasTakenEnds() throws {
        let first = try start()
        try Data("elsewhere 12 ab\n".utf8).write(to: URL(fileURLWithPath: "\(output)/.lock"))
        let run = try first.wait()
        #expect(run.status == 73, "\(run.errors)")
        #expect(
            run.messages == [
                "saccader-dist: rank 0: \(output): another run writes there, process 12 on elsewhere; "
                    + "wait for its end, stop it, or choose another --output"
            ], "\(run.errors)")
        let text = try String(contentsOfFile: "\(output)/.lock", encoding: .utf8)
        #expect(text.hasPrefix("elsewhere"))
    }

    /// A folder that was moved away goes on in the old place, as one that was deleted; nothing of
    /// what was moved is touched.
    @Test func aFolderThatIsMovedIsMadeAgain() throws {
        let first = try start()
        #expect(rename(output, folder.path("moved")) == 0)
        try Waiting.until("a lock in the new folder") {
            FileManager.default.fileExists(atPath: "\(output)/.lock")
        }
        kill(first.identifier, SIGUSR1)
        let run = try first.wait()
        #expect(run.status == 75, "\(run.errors)")
        #expect(run.errors.contains("claimed again"), "\(run.errors)")
        let again = try train(ranks: 2)
        #expect(again.status == 0, "\(again.errors)")
    }

    @Test func whatOnlyLooksIsNotRefused() throws {
        let first = try start()
        for arguments in [
            ["inspect", "\(output)/checkpoints/last.h5"],
            [
                "train", "--config", configuration, "--set", "data.path=\(data)", "--validate",
                "--output", output,
            ],
        ] {
            #expect(try CommandRun("saccader-dist", arguments).status == 0)
        }
        kill(first.identifier, SIGUSR1)
        #expect(try first.wait().status == 75)
        #expect(!FileManager.default.fileExists(atPath: "\(output)/.lock"))
    }
}
