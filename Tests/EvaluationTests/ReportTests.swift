import Foundation
import Testing

@testable import Checkpoints
@testable import Evaluation
@testable import SaccaderModel

/// The comparison at equal coverage and the page.
@Suite struct ReportTests {
    private func entry(_ glimpses: Int, _ top1: Double, _ coverage: Double)
        -> EvaluationReport.Entry
    {
        EvaluationReport.Entry(
            glimpses: glimpses, repeats: 1, top1Count: Int(top1 * 10), top1: top1, top5Count: 10,
            top5: 1, coverage: coverage, coverageDeviation: 0.01, diversity: 0.5, hits: nil,
            deviation: nil)
    }

    private var policies: [String: [EvaluationReport.Entry]] {
        [
            "learned": [entry(1, 0.3, 0.1), entry(2, 0.6, 0.2), entry(3, 0.9, 0.5)],
            "random": [entry(1, 0.1, 0.1), entry(2, 0.2, 0.3), entry(3, 0.4, 0.4)],
            "center": [entry(1, 0.1, 0.1), entry(2, 0.1, 0.1), entry(3, 0.1, 0.1)],
        ]
    }

    private func seen(
        _ policies: [String: [EvaluationReport.Entry]]
    ) -> [String: [EqualCoverage.Seen]] {
        policies.mapValues { $0.map(\.seen) }
    }

    @Test func accuracyAtEqualCoverageIsInterpolated() {
        let equal = EqualCoverage.all([seen(policies)], counts: [1, 2, 3])
        #expect(equal.map(\.coverage) == [0.1, 0.2, 0.5])
        #expect(equal[0].top1["random"] == 0.1)
        #expect(abs((equal[1].top1["random"] ?? 0) - 0.15) < 1e-12)
        #expect(equal[2].top1["random"] == nil)
        #expect(equal[1].top1["learned"] == 0.6 && equal[2].top1["learned"] == 0.9)
        #expect(equal.allSatisfy { $0.top1["center"] == nil })
        #expect(
            EqualCoverage.all([seen(["random": policies["random"] ?? []])], counts: [1]).isEmpty)
    }

    @Test func checkpointsAreComparedAtTheirOwnCoverage() {
        var other = policies
        other["learned"] = [entry(1, 0.3, 0.1), entry(2, 0.8, 0.4)]
        let equal = EqualCoverage.all([seen(policies), seen(other)], counts: [2])
        #expect(abs(equal[0].coverage - 0.3) < 1e-12)
        // 0.15 at 0.2 and 0.4 at 0.4.
        #expect(abs((equal[0].top1["random"] ?? 0) - 0.275) < 1e-12)
        let deviation = 0.125 * 2.0.squareRoot()
        #expect(abs((equal[0].deviation?["random"] ?? 0) - deviation) < 1e-12)
    }

    private var report: EvaluationReport {
        let mean = EvaluationReport.MeanLogits(
            top1Count: 7, top1: 0.7, top5Count: 10, top5: 1, deviation: nil)
        let header = CheckpointHeader(
            config: "{\"seed\":3,\"note\":\"<b>\"}", stage: "joint", step: 12,
            epoch: 1, samples: 96, seed: 3, worldSize: 2, program: "1")
        return EvaluationReport(
            checkpoint: "runs/<a>&b.h5", stage: "joint", step: 12, data: "d", split: "val",
            images: 10, classes: 2, imageSize: 9, program: "1", headlineGlimpses: 2,
            meanLogits: mean, policies: policies,
            checkpoints: [
                EvaluationReport.CheckpointPart(
                    provenance: Provenance(path: "runs/<a>&b.h5", header: header),
                    meanLogits: mean, policies: policies)
            ], equalCoverage: EqualCoverage.all([seen(policies)], counts: [1, 2, 3]))
    }

    @Test func classesHaveWords() {
        let words = ClassWords(
            text: "n01440764\ttench, Tinca tinca\r\nn01443537 goldfish, Carassius\n\nn1\n")
        #expect(words.word("n01440764") == "tench" && words.word("n01443537") == "goldfish")
        #expect(words.word("n1") == "n1" && words.word("digits-0-1") == "digits-0-1")
    }

    @Test func thePageHasEverythingInItself() throws {
        var page = ReportPage(
            report, order: [.learned, .random, .center],
            data: ReportPage.Data(classes: [("a<b", 4), ("c", 6)]))
        let plots = report.plots(order: [.learned, .random, .center])
        #expect(plots.map(\.lines.count) == [4, 4, 3])
        for plot in plots { page.add(plot, svg: try plot.svg()) }
        page.add(ReportPage.Picture(name: "p", title: "P", png: Data([1, 2, 3])))
        let html = page.html
        // Nothing is fetched: every source is in the file, and there is no script or link.
        let sources = html.components(separatedBy: "src=\"").dropFirst()
        #expect(sources.count == 4 && sources.allSatisfy { $0.hasPrefix("data:image/") })
        for word in ["<script", "<link", "url(", "http:", "https:"] {
            #expect(!html.contains(word))
        }
        #expect(html.contains("* Acc@1 60.000 Acc@5 100.000"))
        #expect(html.contains("runs/&lt;a&gt;&amp;b.h5") && !html.contains("<a>"))
        #expect(html.contains("a&lt;b 4, c 6") && html.contains("&quot;seed&quot; : 3"))
        #expect(html.contains("<td class=\"best\">90.0</td>") && html.contains("<td>15.0</td>"))
    }
}
