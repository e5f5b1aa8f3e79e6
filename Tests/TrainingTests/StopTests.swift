import Checkpoints
import Foundation
import TestSupport
import Testing

/// A run that is asked to stop saves, says how to go on, and loses nothing.
@Suite(.serialized) final class StopTests {
    private let folder: TemporaryFolder
    private let configuration: String
    private let data: String
    private static let last = "joint-00000020.h5"
    /// The run goes on for long after the signal, if nothing stops it.
    private static let isLong = ["--set", "stages.representation.epochs=1000"]

    init() throws {
        folder = try TemporaryFolder()
        configuration = try SmallRun.writeConfiguration(folder)
        data = folder.path("data")
        try SmallData.write(to: data)
    }

    private func arguments(_ output: String) -> [String] {
        [
            "train", "--config", configuration, "--set", "data.path=\(data)", "--output", output,
            "--threads", "1", "--quiet",
        ]
    }

    private func numbers(_ output: String) throws -> [[Float]] {
        let file = try HDF5File.open("\(output)/checkpoints/\(Self.last)")
        return try file.datasets(under: "/model").map { try file.floats("/model/\($0)") }
    }

    /// Waits until the log has at least `count` lines.
    private func wait(for count: Int, in output: String) throws {
        let deadline = Date() + 60
        while Date() < deadline {
            if let data = FileManager.default.contents(atPath: "\(output)/metrics.jsonl"),
                data.split(separator: UInt8(ascii: "\n")).count >= count
            {
                return
            }
            Thread.sleep(forTimeInterval: 0.01)
        }
        Issue.record("no \(count) steps in 60 s")
    }

    @Test(arguments: [(SIGTERM, 1), (SIGUSR1, 0), (SIGINT, 1)])
    func aSignalToOneRankStopsAllAndTheNextRunEndsWithTheSameBits(
        signal: Int32, rank: Int
    ) throws {
        let whole = folder.path("whole")
        #expect(try CommandRun("saccader-dist", arguments(whole), ranks: 2).status == 0)
        let output = folder.path("stopped")
        let started = try StartedCommand("saccader-dist", arguments(output), ranks: 2)
        try wait(for: 7, in: output)
        kill(try started.ranks()[rank], signal)
        let stopped = try started.wait()
        #expect(stopped.status == 75, "\(stopped.errors)")
        #expect(stopped.messages.count == 1, "\(stopped.messages)")
        let message = try #require(stopped.messages.first)
        #expect(message.hasPrefix("saccader-dist: stopped by a signal; saved representation-"))
        #expect(message.hasSuffix(".h5: run the same command again to go on"))
        #expect(try CommandRun("saccader-dist", arguments(output), ranks: 4).status == 0)
        #expect(try numbers(output) == numbers(whole))
        #expect(try SmallRun.metrics(output) == SmallRun.metrics(whole))
    }

    /// mpirun hands SIGUSR1 on; told to end, it gives the ranks two seconds, and ends with 1
    /// whatever they do with them.
    @Test(arguments: [(SIGUSR1, 75), (SIGTERM, 1), (SIGINT, 1)])
    func aSignalToMpirunStopsAllRanksSaved(signal: Int32, status: Int) throws {
        let output = folder.path("stopped")
        let started = try StartedCommand(
            "saccader-dist", arguments(output) + Self.isLong, ranks: 2)
        try wait(for: 7, in: output)
        kill(started.identifier, signal)
        let stopped = try started.wait()
        #expect(Int(stopped.status) == status, "\(stopped.errors)")
        let message = try #require(stopped.messages.first)
        #expect(message.hasPrefix("saccader-dist: stopped by a signal; saved "), "\(message)")
        let last = try FileManager.default.destinationOfSymbolicLink(
            atPath: "\(output)/checkpoints/last.h5")
        #expect(message.contains("saved \(last): "), "\(message)")
        let checkpoint = try Checkpoint(reading: "\(output)/checkpoints/\(last)")
        #expect(checkpoint.header.step >= 3)
    }

    @Test func aSecondTerminationEndsAtOnceAndTheLastCheckpointIsWhole() throws {
        let output = folder.path("twice")
        let started = try StartedCommand(
            "saccader-dist", arguments(output) + Self.isLong + ["--set", "checkpoint.everySteps=1"])
        try wait(for: 7, in: output)
        kill(started.identifier, SIGTERM)
        kill(started.identifier, SIGTERM)
        usleep(1000)
        kill(started.identifier, SIGTERM)
        let stopped = try started.wait()
        #expect(stopped.status == 75, "\(stopped.errors)")
        try Checkpoint(reading: "\(output)/checkpoints/last.h5").verify()
        let again = try CommandRun("saccader-dist", arguments(output) + ["--max-steps", "3"])
        #expect(again.status == 0, "\(again.errors)")
    }

    @Test func theTimeLimitStopsTheRun() throws {
        let output = folder.path("limited")
        var runs = 0
        var status: Int32 = 75
        while status == 75 && runs < 40 {
            let limited = try CommandRun(
                "saccader-dist", arguments(output) + ["--time-limit", "0.5s"], ranks: 2)
            status = limited.status
            if status == 75 { #expect(limited.errors.contains("stopped at the time limit")) }
            runs += 1
        }
        #expect(status == 0)
        #expect(runs > 1, "the limit stopped nothing")
        let whole = folder.path("whole")
        #expect(try CommandRun("saccader-dist", arguments(whole)).status == 0)
        #expect(try numbers(output) == numbers(whole))
    }
}
