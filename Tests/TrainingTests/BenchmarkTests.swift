import Foundation
import TestSupport
import Testing

/// The `bench` commands print what the contract promises; how fast they are is not a test's matter.
@Suite(.serialized) struct BenchmarkTests {
    private func object(_ arguments: [String], ranks: Int = 1) throws -> [String: Any] {
        let run = try CommandRun("saccader-dist", ["bench"] + arguments, ranks: ranks)
        #expect(run.status == 0, "\(run.errors)")
        let lines = run.output.split(separator: "\n")
        #expect(lines.count == 1)
        return try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
            ?? [:]
    }

    @Test(arguments: ["representation", "location", "joint"]) func stepHasTheFields(
        stage: String
    ) throws {
        let found = try object(
            [
                "step", "--stage", stage, "--batch", "16", "--steps", "1", "--threads", "1",
                "--json",
            ],
            ranks: stage == "joint" ? 2 : 1)
        #expect(found["stage"] as? String == stage)
        #expect(found["batch"] as? Int == 16)
        #expect(found["ranks"] as? Int == (stage == "joint" ? 2 : 1))
        #expect(found["threads"] as? Int == 1)
        #expect(found["precision"] as? String == "float32")
        for name in [
            "imagesPerSecond", "gflopsPerSecond", "sgemmPeakGflops", "fractionOfPeak",
            "peakMemoryBytes",
        ] { #expect((found[name] as? Double ?? 0) > 0, "\(name)") }
    }

    @Test func gemmHasAPeakAndTheLayersSizes() throws {
        let found = try object(["gemm", "--threads", "1", "--json"])
        #expect((found["sgemmPeakGflops"] as? Double ?? 0) > 0)
        #expect((found["sizes"] as? [[String: Any]] ?? []).count > 10)
    }

    @Test func wrongUseIsRefused() throws {
        for arguments in [["--batch", "0"], ["--stage", "nowhere"], ["--config", "no.yaml"]] {
            let run = try CommandRun("saccader-dist", ["bench", "step"] + arguments)
            #expect(run.status == (arguments[0] == "--config" ? 66 : 64), "\(run.errors)")
        }
    }
}
