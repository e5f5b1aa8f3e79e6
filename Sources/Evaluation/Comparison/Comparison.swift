import Checkpoints
import Foundation
import Models
import Terminal

/// Several models beside one another, for example the paper's ablations: the prediction of each
/// after some glimpses.
public struct Comparison: Codable, Equatable, Sendable {
    /// One model.
    public struct Member: Codable, Equatable, Sendable {
        /// The model's name.
        public let name: String
        /// All its figures.
        public let report: EvaluationReport
    }

    /// The models in the order of the command line.
    public let models: [Member]

    /// Puts reports side by side.
    public init(names: [String], reports: [EvaluationReport]) {
        models = zip(names, reports).map { Member(name: $0, report: $1) }
    }

    /// JSON with sorted keys.
    public func json(isPretty: Bool = false) throws -> String {
        try JSONText.of(self, isPretty: isPretty)
    }

    /// The learned policy's entries of a model; empty where it has none.
    private func entries(_ member: Member) -> [EvaluationReport.Entry] {
        member.report.policies[Policy.learned.rawValue] ?? []
    }

    /// Numbers of glimpses that all models have.
    private var counts: [Int] {
        let lists = models.map { entries($0).map(\.glimpses) }.filter { !$0.isEmpty }
        return (lists.first ?? []).filter { count in lists.allSatisfy { $0.contains(count) } }
    }

    /// The table model × glimpses.
    public var table: String {
        let shown = GlimpseList(counts).shown
        let hasSeeds = models.contains { $0.report.checkpoints.count > 1 }
        let width = hasSeeds ? 11 : 7
        let nameWidth = (models.map(\.name.count).max() ?? 0) + 2
        func row(_ name: String, _ cells: [String]) -> String {
            name.padding(toLength: max(24, nameWidth), withPad: " ", startingAt: 0)
                + cells.map { EvaluationReport.padded($0, width) }.joined()
        }
        func block(
            _ title: String, _ value: (EvaluationReport.Entry) -> Double?,
            _ deviation: (EvaluationReport.Deviation) -> Double?
        ) -> [String] {
            let rows = models.map { member in
                row(
                    member.name,
                    shown.map { count in
                        let entry = entries(member).first { $0.glimpses == count }
                        let spread = member.report.checkpoints.count > 1 ? entry?.deviation : nil
                        return entry.flatMap(value).map {
                            EvaluationReport.percent($0, spread.flatMap(deviation))
                        } ?? "–"
                    })
            }
            return ["", row(title, shown.map { "T=\($0)" })] + rows
        }
        var lines = [
            "\(models.first?.report.images ?? 0) images of \(models.first?.report.split ?? "") in "
                + "\(models.first?.report.data ?? ""), the learned policy of each model"
        ]
        lines += block("top-1 accuracy, %", \.top1, \.top1)
        lines += block("part of image seen, %", \.coverage, \.coverage)
        if models.contains(where: { entries($0).contains { $0.hits != nil } }) {
            lines += block("glimpses on a digit, %", \.hits, \.hits)
        }
        let means = models.compactMap { member in member.report.meanLogits.map { (member, $0) } }
        if !means.isEmpty { lines += ["", row("no attention, top-1, %", ["all"])] }
        lines += means.map { member, mean in
            row(member.name, [EvaluationReport.percent(mean.top1, mean.deviation?.top1)])
        }
        return lines.joined(separator: "\n")
    }

    /// Accuracy against glimpses and against coverage, one line a model.
    var plots: [Plot] {
        func lines(_ x: (EvaluationReport.Entry) -> Double) -> [Plot.Line] {
            models.filter { !entries($0).isEmpty }.enumerated().map { index, member in
                Plot.Line(
                    name: member.name, style: .model(index),
                    points: entries(member).map { entry in
                        EvaluationReport.point(
                            x(entry), entry.top1,
                            member.report.interval(entry.top1, of: entry.deviation?.top1))
                    })
            }
        }
        return [
            Plot(
                name: "comparison", title: "Accuracy of the models by number of glimpses",
                xTitle: "Glimpses T", yTitle: "Top-1 accuracy (%)",
                lines: lines { Double($0.glimpses) }, countsGlimpses: true),
            Plot(
                name: "comparison-coverage",
                title: "Accuracy of the models by part of the image seen",
                xTitle: "Coverage (% of pixels)", yTitle: "Top-1 accuracy (%)",
                lines: lines { 100 * $0.coverage }, countsGlimpses: false),
        ]
    }

    /// What the plots' bands are.
    private var bandNote: String {
        let images = models.first?.report.images ?? 0
        return "± and bands: of a model with several checkpoints one sample standard deviation "
            + "(n − 1); bands of the others: the 95 % interval (Wilson) for \(images) images."
    }

    /// Every model's `results.csv`, its name before each row: the content of `comparison.csv`.
    var csv: String {
        let rows = models.enumerated().flatMap { index, member in
            let rows = member.report.csvRows(order: Policy.allCases)
            return rows.dropFirst(index == 0 ? 0 : 1).enumerated().map { number, row in
                [index == 0 && number == 0 ? "model" : member.name] + row
            }
        }
        return EvaluationReport.lines(rows)
    }

    /// A link to each model's report, with its checkpoints.
    private var links: [String] {
        models.map { member in
            let path = member.name.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
            let files = member.report.checkpoints.map { part in
                "\(part.provenance.path) (step \(part.provenance.step), seed "
                    + "\(part.provenance.seed))"
            }
            return "<li><a href=\"\(path ?? "")/report.html\">\(ReportPage.escaped(member.name))"
                + "</a>: \(ReportPage.escaped(files.joined(separator: ", ")))</li>\n"
        }
    }

    /// Writes `comparison.html`, `comparison.json`, `comparison.csv` and the plots; returns the
    /// paths.
    public func write(to folder: String) throws -> [String] {
        var files: [ResultFolder.File] = []
        var figures = ""
        for plot in plots {
            let (svg, png) = (try plot.svg(), try plot.png())
            figures += ReportPage.figure(svg, type: "svg+xml", title: plot.title, isTitled: false)
            files.append(ResultFolder.File("\(plot.name).svg", svg))
            files.append(ResultFolder.File("\(plot.name).png", png))
        }
        let page = ResultFolder.File(
            "comparison.html",
            text: ReportPage.page(
                "Comparison of \(models.count) models",
                """
                <div class="plots">\(figures)</div>
                <p class="note">\(ReportPage.escaped(bandNote))</p>
                <pre>\(ReportPage.escaped(table))</pre>
                <h2>Each model's own report</h2>
                <ul>
                \(links.joined())</ul>
                """))
        let tables = [
            ResultFolder.File("comparison.json", text: try json(isPretty: true) + "\n"),
            ResultFolder.File("comparison.csv", text: csv),
        ]
        return try ResultFolder(folder, for: []).replace(by: [page] + tables + files)
    }
}
