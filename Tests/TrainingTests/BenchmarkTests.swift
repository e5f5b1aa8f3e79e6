import Foundation
import TestSupport
import Testing

@testable import Host
@testable import Training

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
                "step", "--stage", stage, "--batch", "16", "--steps", "3", "--threads", "1",
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
        // Alone a step waits for nobody; made-up images are there at once, at least for the middle
        // one of three steps.
        let wait = try #require(found["communicationWaitSeconds"] as? Double)
        #expect(stage == "joint" ? wait > 1e-6 : wait < 1e-3)
        let imbalance = try #require(found["imbalanceSeconds"] as? Double)
        #expect(imbalance >= 0 && imbalance <= wait)
        #expect(try #require(found["dataWaitSeconds"] as? Double) < 1e-3)
    }

    @Test func stepTakesImagesFromFiles() throws {
        let folder = try TemporaryFolder()
        let (data, settings) = (folder.path("data"), try SmallRun.writeConfiguration(folder))
        try SmallData.write(to: data)
        let arguments = ["step", "--config", settings, "--batch", "8", "--steps", "3", "--json"]
        let found = try object(arguments + ["--data", data], ranks: 2)
        let (wait, step) = (found["dataWaitSeconds"] as? Double, found["stepSeconds"] as? Double)
        #expect(try #require(wait) > 0 && #require(wait) < #require(step))
        let few = ["--set", "model.classes=3", "--data", data]
        for (more, status, word) in [
            (["--data", folder.path("nowhere")], 66, "nowhere"), (few, 65, "model.classes"),
        ] as [([String], Int32, String)] {
            let run = try CommandRun("saccader-dist", ["bench"] + arguments + more)
            #expect(run.status == status && run.errors.contains(word), "\(run.errors)")
        }
    }

    @Test func scalingIsPredictedAndComparedWithRanks() throws {
        let few = ["scale", "--batch", "4", "--steps", "1", "--threads", "1", "--json"]
        let found = try object(few + ["--bandwidth", "1", "--latency", "50"])
        let step = try #require(found["stepSeconds"] as? Double)
        let link = try #require((found["links"] as? [[String: Any]])?.first)
        #expect(link["gigabitsPerSecond"] as? Double == 1)
        let nodes = try #require(link["nodes"] as? [[String: Any]])
        #expect(nodes.compactMap { $0["nodes"] as? Int } == (1...10).map { 1 << $0 })
        for node in nodes {
            let after = try #require(node["stepSecondsAfter"] as? Double)
            #expect(abs((node["efficiencyAfter"] as? Double ?? 0) * after / step - 1) < 1e-3)
        }
        // Of 776,040 bytes on two nodes half travels each way at 8 ns a byte, twice 50 µs apart, and
        // half is added.
        let gradients = try #require(nodes[0]["gradientSeconds"] as? Double)
        let adding = try 776_040 / 2 * #require(found["addSecondsPerByte"] as? Double)
        #expect(adding > 0 && abs(gradients - adding - 100e-6 - 776_040 * 8e-9) < 1e-7)

        let check = try object(few, ranks: 2)
        let rows = try #require(check["rows"] as? [[String: Any]])
        #expect(rows.count == 5 && check["ranks"] as? Int == 2)
        for row in rows {
            // The other rank may be the faster one, and nobody waited for.
            let least = row["name"] as? String == "laterRankSeconds" ? -Double.ulpOfOne : 0
            #expect((row["predictedSeconds"] as? Double ?? -1) > least, "\(row)")
            #expect((row["measuredSeconds"] as? Double ?? -1) > least, "\(row)")
        }
        let run = try CommandRun("saccader-dist", ["bench", "scale", "--bandwidth", "0"])
        #expect(run.status == 64 && run.errors.contains("--bandwidth"), "\(run.errors)")
    }

    @Test(arguments: [1, 2]) func inferenceHasTheFields(ranks: Int) throws {
        let few = ["--batch", "16", "--glimpses", "3", "--steps", "1", "--threads", "1", "--json"]
        let found = try object(["inference"] + few, ranks: ranks)
        #expect(found["stage"] as? String == "inference")
        #expect(found["batch"] as? Int == 16)
        #expect(found["ranks"] as? Int == ranks)
        #expect(found["allReduceSeconds"] == nil)
        for name in ["imagesPerSecond", "gflopsPerSecond", "fractionOfPeak", "cpuSeconds"] {
            #expect((found[name] as? Double ?? 0) > 0, "\(name)")
        }
    }

    @Test func gemmHasAPeakAndTheLayersSizes() throws {
        let found = try object(["gemm", "--threads", "1", "--json"])
        #expect((found["sgemmPeakGflops"] as? Double ?? 0) > 0)
        #expect((found["sizes"] as? [[String: Any]] ?? []).count > 10)
    }

    @Test func dataTakesAFolderOrSettings() throws {
        let folder = try TemporaryFolder()
        let (data, settings) = (folder.path("data"), folder.path("settings.yaml"))
        try SmallData.write(to: data)
        try "data: {path: \(data), imageSize: 160, resize: legacy}".write(
            toFile: settings, atomically: false, encoding: .utf8)
        let few = ["--batch", "8", "--steps", "2", "--threads", "1", "--json"]
        for (arguments, size, ranks) in [
            (["--data", data], 224, 1), (["--data", data, "--size", "32"], 32, 2),
            (["--config", settings], 160, 1),
        ] {
            let found = try object(["data"] + arguments + few, ranks: ranks)
            #expect(found["imageSize"] as? Int == size)
            #expect(found["batch"] as? Int == 8)
            #expect(found["ranks"] as? Int == ranks)
            #expect(found["threads"] as? Int == 1)
            for name in ["imagesPerSecond", "imagesPerCoreSecond", "peakMemoryBytes"] {
                #expect((found[name] as? Double ?? 0) > 0, "\(name)")
            }
        }
        for (arguments, status, word) in [
            ([], 64, "--data"), (["--data", folder.path("nowhere")], 66, "nowhere"),
            (["--config", settings, "--set", "data.resize=cubic"], 64, "legacy"),
        ] as [([String], Int32, String)] {
            let run = try CommandRun("saccader-dist", ["bench", "data"] + arguments)
            #expect(run.status == status && run.errors.contains(word), "\(run.errors)")
        }
    }

    /// In bfloat16 where the machine has it fast; elsewhere, and with OpenBLAS, in float32 with a
    /// word about it.
    @Test func precisionFallsBackWithAWord() throws {
        let arguments = [
            "bench", "step", "--batch", "8", "--steps", "1", "--threads", "1", "--precision",
            "bfloat16", "--json",
        ]
        let plain = try CommandRun(
            "saccader-dist", arguments, environment: ["SACCADER_GEMM": "openblas"])
        #expect(plain.output.contains("\"precision\": \"float32\""), "\(plain.errors)")
        #expect(plain.output.contains("\"library\": \"OpenBLAS"))
        #expect(plain.errors.contains("going on in float32"))
        let found = try CommandRun("saccader-dist", arguments)
        let isNarrow = found.output.contains("\"precision\": \"bfloat16\"")
        #expect(isNarrow != found.errors.contains("going on in float32"), "\(found.errors)")
    }

    @Test func wrongUseIsRefused() throws {
        for arguments in [
            ["--batch", "0"], ["--stage", "nowhere"], ["--config", "no.yaml"],
            ["--precision", "float16"],
        ] {
            let run = try CommandRun("saccader-dist", ["bench", "step"] + arguments)
            #expect(run.status == (arguments[0] == "--config" ? 66 : 64), "\(run.errors)")
        }
    }

    @Test func sumsOverRanksAreTimedBySize() throws {
        let found = try object(["allreduce", "--steps", "2", "--json"], ranks: 2)
        let sizes = found["sizes"] as? [[String: Any]] ?? []
        let bytes = sizes.compactMap { $0["bytes"] as? Int }
        #expect(bytes.first == 4096 && bytes == bytes.sorted() && bytes.count > 3)
        #expect(found["gradientBytes"] as? Int == bytes.last)
        let part = try object(
            ["allreduce", "--stage", "representation", "--steps", "1", "--json"], ranks: 2)
        #expect(part["gradientBytes"] as? Int == 776_040)
        // The demonstration's gradients are less than a piece: nothing is summed beside anything.
        #expect(sizes.allSatisfy { $0["hiddenShare"] == nil })
        let large = try object(
            ["allreduce", "--set", "model.mixedFeatures=20000", "--steps", "2", "--json"], ranks: 2)
        let share = (large["sizes"] as? [[String: Any]])?.last?["hiddenShare"] as? Double
        #expect(try (0...1).contains(#require(share)))
        for size in sizes {
            let (seconds, rate) = (size["seconds"] as? Double, size["bytesPerSecond"] as? Double)
            let expected = Double(size["bytes"] as? Int ?? 0) / (seconds ?? 0)
            #expect(abs((rate ?? 0) / expected - 1) < 1e-3)
        }
    }

    @Test func coresThatIdleOrAreSharedAreNamed() {
        func warning(_ threads: Int, _ ranks: Int, _ usable: Int, _ online: Int) -> String? {
            Cores.warning(
                threadCount: threads, localRanks: ranks, usable: usable, online: online)
        }
        #expect(warning(1, 2, 1, 2) == nil && warning(8, 1, 8, 8) == nil)
        #expect(warning(2, 1, 1, 8)?.contains("bound to") == true)
        #expect(warning(1, 8, 2, 2)?.contains("share the 2 cores") == true)
        #expect(warning(1, 2, 1, 8)?.contains("6 of this host's 8 cores idle") == true)
    }
}
