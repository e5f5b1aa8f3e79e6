import Foundation
import TestSupport
import Testing

/// Training a classifier and asking it what it sees without the glimpses, as a user would.
@Suite final class OcclusionTests {
    private let folder: TemporaryFolder
    private let data: String
    private let checkpoint: String
    private let classifier: String

    init() throws {
        folder = try TemporaryFolder()
        data = folder.path("data")
        try SmallData.write(to: data)
        let configuration = try SmallRun.writeConfiguration(folder)
        for stage in ["representation", "classifier"] {
            let run = try SmallRun.train(
                ranks: 1, configuration: configuration, data: folder.path("data"),
                output: folder.path(stage), ["--stages", stage, "--max-steps", "5"])
            try #require(run.status == 0, "\(run.errors)")
        }
        checkpoint = folder.path("representation/checkpoints/last.h5")
        classifier = folder.path("classifier/checkpoints/last.h5")
    }

    private func evaluate(_ more: [String], ranks: Int = 1) throws -> CommandRun {
        let arguments = [
            checkpoint, "--data", data, "--quiet", "--occlusion", classifier, "--policies",
            "orderedLogits,random,center", "--glimpses", "1,2,5",
        ]
        return ranks == 1
            ? try CommandRun("saccader-eval", arguments + more)
            : try CommandRun("saccader-dist", ["eval"] + arguments + more, ranks: ranks)
    }

    @Test func theReportTellsWhatTheClassifierLoses() throws {
        let output = folder.path("evaluation")
        let run = try evaluate(["--output", output])
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("on whole images: "))
        let csv = try String(contentsOfFile: "\(output)/results.csv", encoding: .utf8)
            .split(separator: "\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false)
            }
        #expect(Set(csv.map(\.count)).count == 1)
        #expect(csv.count == 1 + 2 + 3 * 3 && csv[2][6] == "classifier")
        let count = csv[0].firstIndex(of: "occludedTop1Count") ?? 0
        #expect(csv[3...].allSatisfy { (0...10).contains(Int($0[count]) ?? -1) })
        // The centre's window is the same however often one looks.
        let center = csv.filter { $0[6] == "center" }.map { $0[count] }
        #expect(center.count == 3 && Set(center).count == 1)
        // Image by image the same counts.
        let predictions = try String(contentsOfFile: "\(output)/predictions.csv", encoding: .utf8)
            .split(separator: "\n").map { $0.split(separator: ",") }
        #expect(predictions.count == 1 + (Int(csv[1][5]) ?? 0))
        for policy in ["orderedLogits", "center"] {
            let column = try #require(predictions[0].firstIndex { $0 == policy })
            let right = predictions.dropFirst().count { $0[3] == $0[column] }
            let row = csv.first { $0[6] == policy && $0[7] == predictions[1][4] }
            #expect(row.map { $0[9] == "\(right)" } == true)
        }
        for plot in ["occlusion-coverage", "occlusion-glimpses"] {
            #expect(FileManager.default.fileExists(atPath: "\(output)/\(plot).png"))
            #expect(FileManager.default.fileExists(atPath: "\(output)/\(plot).svg"))
        }
    }

    @Test func countsAreTheSameForAnyRanksThreadsAndBatch() throws {
        let alone = try evaluate(["--json"])
        #expect(alone.status == 0, "\(alone.errors)")
        #expect(alone.output.contains("\"occlusion\""))
        #expect(
            try evaluate(["--json", "--threads", "3", "--batch-size", "8"]).output == alone.output)
        for ranks in [2, 4] {
            let together = try evaluate(["--json"], ranks: ranks)
            #expect(together.output == alone.output, "\(together.errors)")
        }
    }

    @Test func checkpointsInTheWrongPlaceAreRefused() throws {
        for (saccader, judge, word) in [
            (classifier, classifier, "holds a classifier"),
            (checkpoint, checkpoint, "holds no classifier"),
        ] {
            let run = try CommandRun(
                "saccader-eval", [saccader, "--data", data, "--quiet", "--occlusion", judge])
            #expect(run.status == 65)
            #expect(run.messages.count == 1 && run.messages[0].contains(word), "\(run.errors)")
        }
    }
}
