import Foundation
import Models
import Testing

@testable import Checkpoints
@testable import Evaluation
@testable import SaccaderModel
@testable import StoredModels

/// The comparison at equal coverage and the page.
@Suite struct ReportTests {
    private static func entry(_ glimpses: Int, _ top1: Double, _ coverage: Double)
        -> EvaluationReport.Entry
    {
        EvaluationReport.Entry(
            glimpses: glimpses, repeats: 1, top1Count: Int(top1 * 10), top1: top1, top5Count: 10,
            top5: 1, coverage: coverage, coverageDeviation: 0.01, diversity: 0.5, hits: nil,
            deviation: nil)
    }

    private static var policies: [String: [EvaluationReport.Entry]] {
        [
            "learned": [entry(1, 0.3, 0.1), entry(2, 0.6, 0.2), entry(3, 0.9, 0.5)],
            "random": [entry(1, 0.1, 0.1), entry(2, 0.2, 0.3), entry(3, 0.4, 0.4)],
            "center": [entry(1, 0.1, 0.1), entry(2, 0.1, 0.1), entry(3, 0.1, 0.1)],
        ]
    }

    private static func seen(
        _ policies: [String: [EvaluationReport.Entry]]
    ) -> [String: [EqualCoverage.Seen]] {
        policies.mapValues { $0.map(\.seen) }
    }

    @Test func accuracyAtEqualCoverageIsInterpolated() {
        let policies = Self.policies
        let equal = EqualCoverage.all([Self.seen(policies)], counts: [1, 2, 3])
        #expect(equal.map(\.coverage) == [0.1, 0.2, 0.5])
        #expect(equal[0].top1["random"] == 0.1)
        #expect(abs((equal[1].top1["random"] ?? 0) - 0.15) < 1e-12)
        #expect(equal[2].top1["random"] == nil)
        #expect(equal[1].top1["learned"] == 0.6 && equal[2].top1["learned"] == 0.9)
        #expect(equal.allSatisfy { $0.top1["center"] == nil })
        #expect(
            EqualCoverage.all([Self.seen(["random": policies["random"] ?? []])], counts: [1])
                .isEmpty)
    }

    @Test func checkpointsAreComparedAtTheirOwnCoverage() {
        var other = Self.policies
        other["learned"] = [Self.entry(1, 0.3, 0.1), Self.entry(2, 0.8, 0.4)]
        let equal = EqualCoverage.all([Self.seen(Self.policies), Self.seen(other)], counts: [2])
        #expect(abs(equal[0].coverage - 0.3) < 1e-12)
        // 0.15 at 0.2 and 0.4 at 0.4.
        #expect(abs((equal[0].top1["random"] ?? 0) - 0.275) < 1e-12)
        let deviation = 0.125 * 2.0.squareRoot()
        #expect(abs((equal[0].deviation?["random"] ?? 0) - deviation) < 1e-12)
    }

    private static var report: EvaluationReport {
        let mean = EvaluationReport.MeanLogits(
            top1Count: 7, top1: 0.7, top5Count: 10, top5: 1, deviation: nil)
        let header = CheckpointHeader(
            config: "{\"seed\":3,\"note\":\"<b>\"}", stage: "joint", step: 12,
            epoch: 1, samples: 96, seed: 3, worldSize: 2, program: "1")
        return EvaluationReport(
            checkpoint: "runs/<a>&b.h5", family: "saccader", stage: "joint", step: 12, data: "d",
            split: "val",
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

    private static let order: [Policy] = [.learned, .random, .center]

    /// A report's plots.
    static var plots: [Plot] { report.plots(order: order) }

    /// A report with pictures.
    static func page(plots: [Plot], pictures: [Data] = []) throws -> String {
        var page = ReportPage(
            report, order: order, data: ReportPage.Data(classes: [("a<b", 4), ("c", 6)]))
        for plot in plots { page.add(plot, svg: try plot.svg()) }
        for png in pictures { page.add(ReportPage.Picture(name: "p", title: "P", png: png)) }
        return page.html
    }

    @Test func thePageHasEverythingInItself() throws {
        #expect(Self.plots.map(\.lines.count) == [4, 4, 3])
        let html = try Self.page(plots: Self.plots, pictures: [Data([1, 2, 3])])
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

    /// Three checkpoints with 2, 4 and 9 of 10 images right: mean 0.5, sample variance 0.13.
    private static var seeds: EvaluationReport {
        let scores = [2, 4, 9].map { right in
            var scores = Scores()
            scores.imageCount = 10
            scores.meanLogits = .init(top1: right, top5: 10, imageCount: 10)
            var score = PolicyScore(glimpses: 1, placeCount: 9, pixelCount: 81)
            // top-1, top-5, covered pixels, their squares, hits, visits of nine places, images.
            score.counts =
                [right, 10, 81 * right, 6561 * right, 0] + [10] + .init(repeating: 0, count: 8) + [
                    10, 0,
                ]
            scores.policies = [.learned: [score]]
            return scores
        }
        func part(_ scores: [Scores]) -> (
            EvaluationReport.MeanLogits?, [String: [EvaluationReport.Entry]]
        ) {
            (
                EvaluationReport.MeanLogits(scores.map(\.meanLogits)),
                EvaluationReport.Entry.all(scores, policies: [.learned], counts: [1])
            )
        }
        let (mean, policies) = part(scores)
        return EvaluationReport(
            checkpoint: "a", family: "saccader", stage: "joint", step: 12, data: "d", split: "val",
            images: 10,
            classes: 2, imageSize: 9, program: "1", headlineGlimpses: 1, meanLogits: mean,
            policies: policies,
            checkpoints: scores.map { scores in
                let (mean, policies) = part([scores])
                return EvaluationReport.CheckpointPart(
                    provenance: Self.report.checkpoints[0].provenance, meanLogits: mean,
                    policies: policies)
            })
    }

    @Test func seedsGiveMeanAndSampleDeviationEverywhere() throws {
        let (report, deviation) = (Self.seeds, 0.13.squareRoot())
        let rows = report.csvRows(order: [.learned])
        #expect(Set(rows.map(\.count)) == [28] && rows.count == 1 + 3 * 2 + 2)
        func value(_ row: [String], _ column: String) -> Double? {
            rows[0].firstIndex(of: column).flatMap { Double(row[$0]) }
        }
        for row in rows.suffix(2) {
            #expect(row[0] == "mean" && row[8] == "3")
            #expect(abs((value(row, "top1") ?? 0) - 0.5) < 1e-12)
            #expect(abs((value(row, "top1SD") ?? 0) - deviation) < 1e-12)
            #expect(value(row, "top5SD") == 0)
        }
        // Covered: 2, 4 and 9 tenths too.
        #expect(abs((value(rows[8], "coverage") ?? 0) - 0.5) < 1e-12)
        #expect(abs((value(rows[8], "coverageSD") ?? 0) - deviation) < 1e-12)
        #expect(rows[1...6].allSatisfy { value($0, "top1SD") == nil })
        #expect(report.table(order: [.learned], counts: GlimpseList([1])).contains("50.0±36.1"))
        #expect(report.headline.contains("mean of 3 checkpoints, SD (n − 1) 36.056 and 0.000"))
        let plot = report.plots(order: [.learned])[0].lines[0].points[0]
        #expect(abs(plot.low - 100 * (0.5 - deviation)) < 1e-9)
        #expect(abs(plot.high - 100 * (0.5 + deviation)) < 1e-9)
        let comparison = Comparison(names: ["x", "y"], reports: [report, Self.report])
        let lines = comparison.csv.split(separator: "\n")
        #expect(lines[0].hasPrefix("model,checkpoint,") && lines.count == 1 + 8 + 1 + 3 * 3)
        #expect(lines[8].hasPrefix("x,mean,joint,") && lines[9].hasPrefix("y,runs/"))
    }
}
