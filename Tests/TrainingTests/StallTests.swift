import Foundation
import TestSupport
import Testing

/// A rank that is stuck or dies ends the job, named, and the run can go on from its checkpoint.
@Suite(.serialized) final class StallTests {
    private let folder: TemporaryFolder
    private let configuration: String
    private let data: String
    private let output: String
    /// In seconds; ranks that are well have time for a sign of life on a busy machine, too.
    private static let timeout = 8

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
        try Waiting.lines(7, in: output)
        return started
    }

    @Test(arguments: [(2, 1), (4, 0)])
    func aStoppedRankIsNamed(ranks: Int, stopped: Int) throws {
        let started = try start(ranks: ranks, ["--stall-timeout", "\(Self.timeout)"])
        kill(try started.ranks()[stopped], SIGSTOP)
        let begin = Date()
        let run = try started.wait()
        #expect(Date().timeIntervalSince(begin) < Waiting.limit)
        #expect(run.status == 76, "\(run.errors)")
        let message = try #require(run.messages.first)
        #expect(message.contains("rank \(stopped) on "), "\(message)")
        #expect(message.contains("is stuck in stage representation, step "), "\(message)")
        #expect(message.contains("stopped or cut off, last seen "), "\(message)")
        #expect(run.messages.count == 1, "\(run.messages)")
        #expect(FileManager.default.fileExists(atPath: "\(output)/checkpoints/last.h5"))
    }

    /// Nobody has a note yet: before the program starts, and while the first rank prepares the data.
    @Test(arguments: [(0, false), (1, false), (0, true), (1, true)])
    func aRankThatIsStoppedAtTheStartIsNamed(stopped: Int, hasJoined: Bool) throws {
        let stop = hasJoined ? "" : "[ $OMPI_COMM_WORLD_RANK != \(stopped) ] || kill -STOP $$; "
        let started = try StartedCommand(
            "saccader-dist",
            [
                "train", "--output", output, "--threads", "1", "--quiet", "--stall-timeout",
                "\(Self.timeout)",
            ], launcher: ["mpirun", "-n", "2", "bash", "-c", stop + "exec \"$0\" \"$@\""])
        if hasJoined {
            // With so much done, both ranks have given a first sign of life.
            try Waiting.until("1000 images of the demonstration") {
                let files = FileManager.default.enumerator(atPath: folder.path)
                return files?.count { "\($0)".hasSuffix(".JPEG") } ?? 0 >= 1000
            }
            kill(try started.ranks()[stopped], SIGSTOP)
        }
        let run = try started.wait()
        #expect(run.status == 76, "\(run.errors)")
        #expect(run.messages.count == 1, "\(run.messages)")
        let what = hasJoined ? "or cut off, for " : "before it has joined the others, for "
        let host = ProcessInfo.processInfo.hostName
        #expect(
            run.messages.first?.contains(
                "rank \(stopped) on \(host) is stuck at the start, stopped \(what)") == true,
            "\(run.messages)")
        #expect(run.seconds < Waiting.limit)
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
        #expect(Date().timeIntervalSince(begin) < Waiting.limit)
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
        try Waiting.end(of: ranks)
        let again = try SmallRun.train(
            ranks: 2, configuration: configuration, data: data, output: output,
            ["--max-steps", "3"])
        #expect(again.status == 0, "\(again.errors)")
    }

    @Test func aPauseShorterThanTheTimeIsNotAStall() throws {
        let started = try start(ranks: 2, ["--stall-timeout", "20"])
        let rank = try started.ranks()[1]
        kill(rank, SIGSTOP)
        Thread.sleep(forTimeInterval: 3)
        kill(rank, SIGCONT)
        let count = try SmallRun.metrics(output).count
        try Waiting.lines(count + 20, in: output)
        kill(rank, SIGUSR1)
        let run = try started.wait()
        #expect(run.status == 75, "\(run.errors)")
    }
}
