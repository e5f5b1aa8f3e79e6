import Foundation
import TestSupport
import Testing

/// A rank that is stuck or dies ends the job, named, and the run can go on from its checkpoint.
@Suite(.serialized) final class StallTests {
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

    private func start(ranks: Int, _ more: [String]) throws -> StartedCommand {
        let started = try StartedCommand(
            "saccader-dist",
            [
                "train", "--config", configuration, "--set", "data.path=\(data)", "--output",
                output, "--threads", "1", "--quiet", "--set",
                "stages.representation.epochs=1000",
            ] + more, ranks: ranks)
        let deadline = Date() + 60
        while Date() < deadline {
            let log = FileManager.default.contents(atPath: "\(output)/metrics.jsonl") ?? Data()
            if log.count > 2000 { break }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return started
    }

    @Test(arguments: [(2, 1), (4, 0)])
    func aStoppedRankIsNamed(ranks: Int, stopped: Int) throws {
        let started = try start(ranks: ranks, ["--stall-timeout", "2"])
        kill(try started.ranks()[stopped], SIGSTOP)
        let begin = Date()
        let run = try started.wait()
        #expect(Date().timeIntervalSince(begin) < 30)
        #expect(run.status == 76, "\(run.errors)")
        let message = try #require(run.messages.first)
        #expect(message.contains("rank \(stopped) on "), "\(message)")
        #expect(message.contains("is stuck in stage representation, step "), "\(message)")
        #expect(message.contains("stopped or cut off, last seen "), "\(message)")
        #expect(run.messages.count == 1, "\(run.messages)")
        #expect(FileManager.default.fileExists(atPath: "\(output)/checkpoints/last.h5"))
    }

    /// Nobody has a note yet: while MPI starts, and while the first rank prepares the data.
    @Test(arguments: [(0, false), (1, false), (0, true), (1, true)])
    func aRankThatIsStoppedAtTheStartIsNamed(stopped: Int, hasJoined: Bool) throws {
        let started = try StartedCommand(
            "saccader-dist",
            ["train", "--output", output, "--threads", "1", "--quiet", "--stall-timeout", "2"],
            ranks: 2)
        let deadline = Date() + 60
        while Date() < deadline {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            let isWriting = names.contains { $0.hasPrefix("demo-data") }
            if try started.ranks().count == 2, isWriting || !hasJoined { break }
            Thread.sleep(forTimeInterval: 0.005)
        }
        // Time for a first sign of life.
        if hasJoined { Thread.sleep(forTimeInterval: 0.5) }
        kill(try started.ranks()[stopped], SIGSTOP)
        let run = try started.wait()
        #expect(run.status == 76, "\(run.errors)")
        #expect(run.messages.count == 1, "\(run.messages)")
        let what = hasJoined ? "or cut off, for " : "before it has joined the others, for "
        let host = ProcessInfo.processInfo.hostName
        #expect(
            run.messages.first?.contains(
                "rank \(stopped) on \(host) is stuck at the start, stopped \(what)") == true,
            "\(run.messages)")
        #expect(run.seconds < 60)
        #expect(!FileManager.default.fileExists(atPath: output))
    }

    @Test(arguments: [(SIGKILL, 1), (SIGKILL, 0), (SIGSEGV, 1), (SIGABRT, 0)])
    func aRankThatDiesEndsTheJobAndTheRunGoesOn(signal: Int32, dying: Int) throws {
        let started = try start(ranks: 2, [])
        let ranks = try started.ranks()
        kill(ranks[dying], signal)
        let begin = Date()
        let run = try started.wait()
        // Within five seconds on a machine of its own; this one may be busy.
        #expect(Date().timeIntervalSince(begin) < 15)
        // mpirun tells of a process killed by the kernel in its own way.
        #expect(run.status == (signal == SIGKILL ? 128 + SIGKILL : 76), "\(run.errors)")
        let message = try #require(run.messages.first)
        let what = signal == SIGKILL ? " was lost (process \(ranks[dying]) is gone)" : " crashed ("
        #expect(message.contains("rank \(dying) on ") && message.contains(what), "\(message)")
        #expect(run.messages.count == 1, "\(run.messages)")
        if signal == SIGKILL {
            // The step that it was lost in, not that of its last note.
            let step = try #require(message.firstMatch(of: /step (\d+);/)).1
            let log = try String(contentsOfFile: "\(output)/metrics.jsonl", encoding: .utf8)
            let logged = try #require(log.matches(of: /"step": (\d+)/).last).1
            let difference = try #require(Int(step)) - #require(Int(logged))
            #expect(abs(difference) <= 2, "\(message), logged \(logged)")
        }
        let said = try #require(run.errors.range(of: message))
        let launcher = try #require(run.errors.range(of: "mpirun"))
        #expect(said.lowerBound < launcher.lowerBound, "\(run.errors)")
        while Date().timeIntervalSince(begin) < 15 && ranks.contains(where: StartedCommand.isAlive)
        {
            Thread.sleep(forTimeInterval: 0.05)
        }
        for rank in ranks {
            #expect(!StartedCommand.isAlive(rank), "process \(rank) is still there")
        }
        let again = try SmallRun.train(
            ranks: 2, configuration: configuration, data: data, output: output,
            ["--max-steps", "3"])
        #expect(again.status == 0, "\(again.errors)")
    }

    @Test func aPauseShorterThanTheTimeIsNotAStall() throws {
        let started = try start(ranks: 2, ["--stall-timeout", "6", "--time-limit", "8"])
        let rank = try started.ranks()[1]
        kill(rank, SIGSTOP)
        Thread.sleep(forTimeInterval: 2)
        kill(rank, SIGCONT)
        let run = try started.wait()
        #expect(run.status == 75, "\(run.errors)")
    }
}
