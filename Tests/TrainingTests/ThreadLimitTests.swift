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

    /// 1000 threads have stacks of 8 MB each.
    @Test func fewerThreadsWithAWarning() throws {
        let run = try StartedCommand(
            "saccader-dist", ["bench", "step", "--steps", "1", "--threads", "1000", "--json"],
            launcher: ["prlimit", "--as=6000000000"]
        ).wait()
        #expect(run.status == 0, "\(run.errors)")
        #expect(
            run.errors.contains(" of 1000 threads: no thread could be started ("), "\(run.errors)")
        let count = try #require(try Self.threads(of: run))
        #expect((1..<1000).contains(count))
    }

    @Test func roomForThreadsIsAskedFor() throws {
        try WorkerThread.requireRoom(for: 8)
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
