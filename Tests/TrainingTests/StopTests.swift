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

    @Test(arguments: [(SIGTERM, 1), (SIGUSR1, 0), (SIGINT, 1), (SIGHUP, 0)])
    func aSignalToOneRankStopsAllAndTheNextRunEndsWithTheSameBits(
        signal: Int32, rank: Int
    ) throws {
        let whole = folder.path("whole")
        #expect(try CommandRun("saccader-dist", arguments(whole), ranks: 2).status == 0)
        let output = folder.path("stopped")
        let started = try StartedCommand("saccader-dist", arguments(output), ranks: 2)
        try Waiting.lines(7, in: output)
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
        try Waiting.lines(7, in: output)
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

    /// The script beside the job scripts gives mpirun the program's exit codes.
    private static let launcher = [
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../cluster/local/mpirun").path
    ]

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP, SIGUSR1])
    func aSignalToTheLauncherStopsAllRanksSaved(signal: Int32) throws {
        let output = folder.path("stopped")
        let started = try StartedCommand(
            "saccader-dist", arguments(output) + Self.isLong, ranks: 2, launcher: Self.launcher)
        try Waiting.lines(7, in: output)
        kill(started.identifier, signal)
        let stopped = try started.wait()
        #expect(stopped.status == 75, "\(stopped.errors)")
        #expect(stopped.messages.count == 1, "\(stopped.messages)")
        #expect(stopped.messages.first?.contains("stopped by a signal; saved ") == true)
    }

    /// As a scheduler does that cancels a job: the launcher's words would otherwise end the ranks
    /// while they save.
    @Test(arguments: 0..<3) func terminationOfAllProcessesAtOnceStopsAllRanksSaved(
        time: Int
    ) throws {
        let output = folder.path("cancelled")
        let started = try StartedCommand(
            "saccader-dist",
            arguments(output) + Self.isLong + ["--set", "checkpoint.everySteps=1000000"], ranks: 2,
            launcher: Self.launcher)
        try Waiting.lines(7, in: output)
        func descendants(_ process: Int32) throws -> [Int32] {
            let children = try StartedCommand.children(process)
            return try children + children.flatMap(descendants)
        }
        for process in [started.identifier] + (try descendants(started.identifier)) {
            kill(process, SIGTERM)
        }
        let stopped = try started.wait()
        #expect(stopped.status == 75, "\(stopped.errors)")
        #expect(stopped.messages.count == 1, "\(stopped.messages)")
        #expect(stopped.messages.first?.contains("stopped by a signal; saved ") == true)
        let checkpoint = try Checkpoint(reading: "\(output)/checkpoints/last.h5")
        try checkpoint.verify()
        #expect(checkpoint.header.step >= 3)
    }

    /// The terminal's end reaches a process from the system, and again from its shell.
    @Test func aTerminalThatClosesStopsTheRunSaved() throws {
        let output = folder.path("hung")
        let started = try StartedCommand("saccader-dist", arguments(output) + Self.isLong)
        try Waiting.lines(7, in: output)
        for _ in 0..<3 {
            kill(started.identifier, SIGHUP)
            usleep(1000)
        }
        let stopped = try started.wait()
        #expect(stopped.status == 75, "\(stopped.errors)")
        #expect(stopped.messages.first?.contains("stopped by a signal; saved ") == true)
    }

    @Test func underNohupTheRunGoesOn() throws {
        let output = folder.path("nohup")
        let started = try StartedCommand(
            "saccader-dist", arguments(output), launcher: ["nohup"])
        try Waiting.lines(3, in: output)
        kill(started.identifier, SIGHUP)
        let run = try started.wait()
        #expect(run.status == 0, "\(run.errors)")
    }

    @Test func aRankKilledUnderTheLauncherIsALostRank() throws {
        let started = try StartedCommand(
            "saccader-dist", arguments(folder.path("killed")) + Self.isLong, ranks: 2,
            launcher: Self.launcher)
        try Waiting.lines(7, in: folder.path("killed"))
        let mpirun = try #require(try StartedCommand.children(started.identifier).first)
        kill(try #require(try StartedCommand.children(mpirun).last), SIGKILL)
        let lost = try started.wait()
        #expect(lost.status == 76, "\(lost.errors)")
    }

    @Test func aSecondSignalToTheLauncherEndsAtOnce() throws {
        let output = folder.path("twice")
        let started = try StartedCommand(
            "saccader-dist", arguments(output) + Self.isLong, ranks: 2, launcher: Self.launcher)
        try Waiting.lines(7, in: output)
        let mpirun = try #require(try StartedCommand.children(started.identifier).first)
        let ranks = try StartedCommand.children(mpirun)
        // No rank comes to the end of its step: the first signal has no effect.
        for rank in ranks { kill(rank, SIGSTOP) }
        try Waiting.until("ranks that are stopped") {
            try ranks.allSatisfy(StartedCommand.isStopped)
        }
        kill(started.identifier, SIGTERM)
        try Waiting.until("the first signal at the ranks, as SIGUSR1") {
            try ranks.allSatisfy { try StartedCommand.isPending(SIGUSR1, $0) }
        }
        kill(started.identifier, SIGINT)
        let stopped = try started.wait()
        #expect(stopped.status == 75, "\(stopped.errors)")
        try Waiting.end(of: ranks)
        try Checkpoint(reading: "\(output)/checkpoints/last.h5").verify()
    }

    @Test func aSignalThatTheParentHadBlockedStopsTheRun() throws {
        let output = folder.path("blocked")
        let started = try StartedCommand(
            "saccader-dist", arguments(output) + Self.isLong, launcher: ["--block-signal=TERM"])
        try Waiting.lines(7, in: output)
        kill(started.identifier, SIGTERM)
        do { try Waiting.end(of: [started.identifier]) } catch {
            kill(started.identifier, SIGKILL)
            throw error
        }
        #expect(try started.wait().status == 75)
    }

    @Test func aSecondInterruptEndsAtOnceAndTheLastCheckpointIsWhole() throws {
        let output = folder.path("twice")
        let started = try StartedCommand(
            "saccader-dist", arguments(output) + Self.isLong + ["--set", "checkpoint.everySteps=1"])
        try Waiting.lines(7, in: output)
        kill(started.identifier, SIGTERM)
        kill(started.identifier, SIGINT)
        usleep(1000)
        kill(started.identifier, SIGINT)
        let stopped = try started.wait()
        #expect(stopped.status == 75, "\(stopped.errors)")
        try Checkpoint(reading: "\(output)/checkpoints/last.h5").verify()
        let again = try CommandRun("saccader-dist", arguments(output) + ["--max-steps", "3"])
        #expect(again.status == 0, "\(again.errors)")
    }

    /// A scheduler says so itself and through what it has started the ranks with.
    @Test func terminationsOneAfterTheOtherAreOneRequest() throws {
        let output = folder.path("several")
        let started = try StartedCommand("saccader-dist", arguments(output) + Self.isLong)
        try Waiting.lines(7, in: output)
        for _ in 1...5 {
            kill(started.identifier, SIGTERM)
            usleep(500)
        }
        let stopped = try started.wait()
        #expect(stopped.status == 75)
        #expect(
            stopped.messages.contains { $0.contains("stopped by a signal; saved ") },
            "\(stopped.errors)")
    }

    @Test func theTimeLimitStopsTheRun() throws {
        let output = folder.path("limited")
        var runs = 0
        var status: Int32 = 75
        while status == 75 && runs < 24 {
            // From less than any machine needs to a minute and more: a busy one gets to the end, too.
            let limit = "\(0.1 * pow(1.35, Double(runs)))s"
            let limited = try CommandRun(
                "saccader-dist", arguments(output) + ["--time-limit", limit], ranks: 2)
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
