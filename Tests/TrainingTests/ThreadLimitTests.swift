import Foundation
import Tensors
import TestSupport
import Testing

@testable import Training

/// Threads that the system does not start, and cores that a library has taken away.
@Suite(.serialized) struct ThreadLimitTests {
    private static func threads(of run: CommandRun) throws -> Int? {
        let object = try JSONSerialization.jsonObject(with: Data(run.output.utf8))
        return (object as? [String: Any])?["threads"] as? Int
    }

    /// 1000 threads have stacks of 8 MB each: there is neither room for all, nor are so many started
    /// that there is none for the run.
    @Test func fewerThreadsWithAWarning() throws {
        let folder = try TemporaryFolder()
        let configuration = try SmallRun.writeConfiguration(folder)
        try SmallData.write(to: folder.path("data"))
        let run = try StartedCommand(
            "saccader-dist",
            [
                "train", "--config", configuration, "--set", "data.path=\(folder.path("data"))",
                "--output", folder.path("run"), "--threads", "1000", "--quiet", "--stages",
                "representation", "--max-steps", "2",
            ], launcher: ["prlimit", "--as=6000000000"]
        ).wait()
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.messages.count == 1, "\(run.errors)")
        let found = run.errors.firstMatch(of: /warning: ([0-9]+) of 1000 threads: no/)
        let count = try #require(found.flatMap { Int($0.1) })
        #expect((2..<1000).contains(count))
    }

    /// A user who may have one process: what needs no threads does without, training says that it
    /// needs them; nothing waits for ever.
    @Test(.enabled(if: getuid() == 0, "starts processes as another user"))
    func aUserWithoutThreads() throws {
        let folder = try TemporaryFolder()
        let configuration = try SmallRun.writeConfiguration(folder)
        let data = folder.path("data")
        try SmallData.write(to: data)
        let output = folder.path("run")
        let words = ["--stages", "representation", "--max-steps", "2"]
        let first = try SmallRun.train(
            ranks: 1, configuration: configuration, data: data, output: output, words)
        try #require(first.status == 0, "\(first.errors)")
        let checkpoint = "\(output)/checkpoints/last.h5"
        chmod(folder.path, 0o777)
        let picture = try #require(
            FileManager.default.enumerator(atPath: "\(data)/val")?.first {
                "\($0)".hasSuffix(".JPEG")
            })
        func run(_ program: String, _ words: [String], processes: Int) throws -> CommandRun {
            // Nobody else has this number.
            try StartedCommand(
                program, words,
                launcher: [
                    "timeout", "-k", "1", "\(Int(Waiting.limit))", "setpriv", "--reuid=54321",
                    "--regid=54321", "--clear-groups", "prlimit", "--nproc=\(processes)",
                ]
            ).wait()
        }
        for count in [1, 4] {
            let answers = try run(
                "saccader-eval",
                ["predict", checkpoint, "\(data)/val/\(picture)", "--threads", "4", "--quiet"],
                processes: count)
            #expect(answers.status == 0, "\(answers.errors)")
            #expect(answers.output.contains("digits-"), "\(answers.output)")
            let scores = try run(
                "saccader-eval",
                [checkpoint, "--data", data, "--threads", "4", "--quiet", "--glimpses", "1"],
                processes: count)
            #expect(scores.status == 0, "\(scores.errors)")
            let training = try run(
                "saccader-dist",
                [
                    "train", "--config", configuration, "--set", "data.path=\(data)", "--threads",
                    "4", "--quiet", "--output", folder.path("other\(count)"),
                ] + words, processes: count)
            #expect(training.status == 70, "\(training.errors)")
            #expect(training.messages.count == 1, "\(training.errors)")
        }
    }

    @Test func roomForThreadsIsAskedFor() throws {
        try WorkerThread.requireThreads(8)
    }

    /// The affinity that a process was started with decides, whatever OpenMP's library does to it.
    @Test(arguments: [
        "OMP_PROC_BIND=true", "OMP_PROC_BIND=close OMP_PLACES={0}", "GOMP_CPU_AFFINITY=0",
    ])
    func openMPBindsNobody(variables: String) throws {
        let pairs = variables.split(separator: " ").map { $0.split(separator: "=", maxSplits: 1) }
        let environment = Dictionary(
            uniqueKeysWithValues: pairs.map { (String($0[0]), String($0[1])) })
        let words = ["bench", "step", "--steps", "1", "--batch", "8", "--json"]
        let free = try CommandRun("saccader-dist", words)
        let bound = try CommandRun("saccader-dist", words, environment: environment)
        #expect(bound.status == 0, "\(bound.errors)")
        #expect(try Self.threads(of: bound) == Self.threads(of: free))
    }

    /// A launcher's own binding holds.
    @Test func aLaunchersBindingHolds() throws {
        let run = try StartedCommand(
            "saccader-dist", ["bench", "step", "--steps", "1", "--batch", "8", "--json"],
            launcher: ["taskset", "-c", "0"]
        ).wait()
        #expect(run.status == 0, "\(run.errors)")
        #expect(try Self.threads(of: run) == 1)
    }
}
