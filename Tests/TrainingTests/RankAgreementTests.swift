import Foundation
import TestSupport
import Testing

@testable import Training

/// Ranks that were started with other words or files than the rest.
@Suite(.serialized) struct RankAgreementTests {
    private let folder: TemporaryFolder
    private let configuration: String

    init() throws {
        folder = try TemporaryFolder()
        configuration = try SmallRun.writeConfiguration(folder)
        try SmallData.write(to: folder.path("data"))
    }

    private func arguments(
        output: String = "run", data: String = "data", _ more: [String] = []
    ) -> [String] {
        [
            "train", "--config", configuration, "--set", "data.path=\(folder.path(data))",
            "--output", folder.path(output), "--threads", "1", "--quiet", "--stages",
            "representation",
        ] + more
    }

    /// Rank 0 with one list of arguments, rank 1 with another.
    private func run(_ first: [String], _ second: [String]) throws -> CommandRun {
        try StartedCommand(
            "saccader-dist", second,
            launcher: ["mpirun", "-n", "1", CommandRun.path("saccader-dist")] + first
                + [":", "-n", "1"]
        ).wait()
    }

    @Test func settingsAndOptionsThatDifferAreNamed() throws {
        for (more, words) in [
            (["--set", "seed=7"], "seed is not the same on all ranks: 0 on rank 0, 7 on rank 1"),
            (
                ["--set", "stages.representation.learningRate=0.1", "--set", "seed=1"],
                "seed is not the same on all ranks: 0 on rank 0, 1 on rank 1 (so are "
                    + "stages.representation.learningRate)"
            ),
            (
                ["--max-steps", "2"],
                "--max-steps is not the same on all ranks: nothing on rank 0, 2 on rank 1"
            ),
        ] {
            let run = try run(arguments(), arguments(more))
            #expect(run.status == 64, "\(run.errors)")
            #expect(run.messages.count == 1, "\(run.errors)")
            #expect(run.errors.contains(words), "\(run.errors)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path("run")))
    }

    @Test func imagesThatDifferAreNamed() throws {
        try FileManager.default.copyItem(atPath: folder.path("data"), toPath: folder.path("other"))
        let train = URL(fileURLWithPath: folder.path("other/train"))
        let names = try FileManager.default.subpathsOfDirectory(atPath: train.path)
            .filter { $0.hasSuffix(".JPEG") }.sorted()
        let first = train.appendingPathComponent(names[0]).path
        try FileManager.default.moveItem(
            atPath: first, toPath: first.replacingOccurrences(of: ".JPEG", with: "x.JPEG"))
        let run = try run(arguments(), arguments(data: "other"))
        #expect(run.status == 65, "\(run.errors)")
        #expect(
            run.errors.contains("the list of images is not the same on all ranks: "),
            "\(run.errors)")
        #expect(run.messages.count == 1, "\(run.errors)")
    }

    @Test func anotherOutputFolderIsNamed() throws {
        let run = try run(
            arguments(["--max-steps", "1"]), arguments(output: "elsewhere", ["--max-steps", "1"]))
        #expect(run.status == 64, "\(run.errors)")
        #expect(run.errors.contains("is another folder on rank 1 ("), "\(run.errors)")
        #expect(run.messages.count == 1, "\(run.errors)")
    }

    @Test func otherCommandsAreNamed() throws {
        let run = try run(arguments(), ["bench", "gemm"])
        #expect(run.status == 64, "\(run.errors)")
        #expect(
            run.errors.contains(
                "the command is not the same on all ranks: train on rank 0, bench gemm on rank 1"),
            "\(run.errors)")
    }

    @Test func likeRanksWithImagesElsewhereTrain() throws {
        try FileManager.default.copyItem(atPath: folder.path("data"), toPath: folder.path("copy"))
        let run = try run(
            arguments(["--max-steps", "1"]), arguments(data: "copy", ["--max-steps", "1"]))
        #expect(run.status == 0, "\(run.errors)")
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path("run"))
        #expect(!left.contains(".shared"))
    }

    /// Usage errors under a launcher come from the first rank alone, in every command.
    @Test(arguments: [
        "train --thread 2", "bench step --batch 0", "eval", "inspect", "trace x --objective y",
        "dataset demo", "doctor --nothing", "nothing",
    ])
    func aUsageErrorIsSaidOnce(command: String) throws {
        let run = try CommandRun(
            "saccader-dist", command.split(separator: " ").map(String.init), ranks: 4)
        #expect(run.status == 64, "\(run.errors)")
        #expect(run.messages.count == 1, "\(run.errors)")
    }

    @Test func helpIsPrintedOnce() throws {
        let run = try CommandRun("saccader-dist", ["--help"], ranks: 2)
        #expect(run.status == 0)
        #expect(run.output.components(separatedBy: "OVERVIEW:").count == 2, "\(run.output)")
    }
}
