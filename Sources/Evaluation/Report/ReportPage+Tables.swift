import Foundation
import Models

extension ReportPage {
    /// The headline and what it is of.
    var summary: String {
        let lines = report.headline.split(separator: "\n").map(String.init)
        let part = report.subsetImages.map { $0 > report.images ? " (of \($0))" : "" } ?? ""
        return "<p class=\"big\">\(Self.escaped(lines.joined(separator: " ")))</p>\n"
            + "<p>\(Self.escaped(origin)). \(report.images) images\(part) of "
            + "\(Self.escaped(report.split)) in \(Self.escaped(report.data)), "
            + "\(report.classes) classes, \(report.imageSize)² pixels.\(withoutAttention)"
            + "\(Self.escaped(spread))</p>"
    }

    /// What the network comes to without attention.
    private var withoutAttention: String {
        guard let mean = report.meanLogits else { return "" }
        return " The network without attention (\(report.wholeTitle)): top-1 "
            + EvaluationReport.percent(mean.top1, mean.deviation?.top1) + " %."
    }

    /// Which models.
    private var origin: String {
        let seeds = report.checkpoints.map { "\($0.provenance.seed)" }
        let stage = "stage \(report.stage), step \(report.step)"
        return seeds.count == 1
            ? "\(report.checkpoint): \(stage), seed \(seeds[0])"
            : "\(seeds.count) checkpoints of stage \(report.stage), seeds "
                + seeds.joined(separator: ", ")
    }

    /// What stands behind ±.
    private var spread: String {
        let draws = report.draws.map { $0 > 1 ? " The random policy was drawn \($0) times." : "" }
        let repeats =
            report.checkpoints.count > 1
            ? " ± is the sample standard deviation (n − 1) over checkpoints."
            : draws?.isEmpty == false
                ? " ± is the sample standard deviation (n − 1) over the draws." : ""
        return (draws ?? "") + repeats
    }

    /// A table for each question, policy × glimpses, the best of each column bold.
    var tables: String {
        let counts = order.first.flatMap { report.policies[$0.rawValue] }?.map(\.glimpses) ?? []
        let heads = counts.map { "T = \($0)" }
        func block(
            _ title: String, _ value: (EvaluationReport.Entry) -> Double?,
            _ deviation: (EvaluationReport.Deviation) -> Double?, marksBest: Bool = false
        ) -> String {
            let rows = order.map { policy in
                (
                    policy.title(report.familyTitle),
                    (report.policies[policy.rawValue] ?? []).map { entry in
                        value(entry).map { Cell($0, entry.deviation.flatMap(deviation)) }
                    }
                )
            }
            return table(title, heads: heads, rows: rows, marksBest: marksBest)
        }
        let equal = table(
            "Top-1 accuracy (%), having seen as much of the images as the learned policy",
            report.equalCoverage, marksBest: true)
        return block("Top-1 accuracy (%)", \.top1, \.top1, marksBest: true) + equal
            + block("Top-5 accuracy (%)", \.top5, \.top5, marksBest: true)
            + block("Part of the image seen (%)", \.coverage, \.coverage)
            + (report.coverageNote.map { "<p class=\"note\">\(Self.escaped($0))</p>\n" } ?? "")
            + block("Location diversity (%)", \.diversity, \.diversity)
            + block("Glimpses near a known place of evidence (%)", \.hits, \.hits, marksBest: true)
            + (report.occlusion.map { tables($0, heads: heads) } ?? "")
            + (report.robustness.map(table) ?? "")
    }

    /// The predictions under attack.
    private func table(_ robustness: Robustness) -> String {
        table(
            robustness.title,
            heads: robustness.attack.epsilons.map { "ε = " + Robustness.text($0) },
            rows: robustness.rows(report.familyTitle).map { row in
                (row.title, row.entries.map { Optional(Cell($0.top1, $0.deviation?.top1)) })
            }, marksBest: true)
    }

    /// What a classifier loses without the policies' windows.
    private func tables(_ occlusion: Occlusion, heads: [String]) -> String {
        let rows = order.map { policy in
            (
                policy.title(report.familyTitle),
                (occlusion.policies[policy.rawValue] ?? []).map {
                    Optional(Cell($0.top1, $0.deviation?.top1))
                }
            )
        }
        return "<p>A classifier (\(Self.escaped(occlusion.classifier))) that has "
            + EvaluationReport.percent(occlusion.intactTop1, nil)
            + " % of the whole images right is shown the images without the windows: the lower, "
            + "the more the windows mattered.</p>\n"
            + table(
                "Top-1 accuracy (%) of the classifier without the windows", heads: heads,
                rows: rows, marksBest: false)
            + table(
                "The same with as much taken out as by the learned policy",
                occlusion.equalCoverage, marksBest: false)
    }

    private func table(
        _ title: String, _ equalCoverage: [EqualCoverage], marksBest: Bool
    ) -> String {
        table(
            title,
            heads: equalCoverage.map { EvaluationReport.percent($0.coverage, nil) + " %" },
            rows: order.map { policy in
                (
                    policy.title(report.familyTitle),
                    equalCoverage.map { equal in
                        equal.top1[policy.rawValue].map {
                            Cell($0, equal.deviation?[policy.rawValue])
                        }
                    }
                )
            }, marksBest: marksBest)
    }

    private struct Cell {
        let value: Double
        let deviation: Double?

        init(_ value: Double, _ deviation: Double?) {
            (self.value, self.deviation) = (value, deviation)
        }
    }

    private func table(
        _ title: String, heads: [String], rows: [(String, [Cell?])], marksBest: Bool
    ) -> String {
        guard rows.contains(where: { $0.1.contains { $0 != nil } }) else { return "" }
        let best = heads.indices.map { column in
            rows.compactMap { $0.1[column]?.value }.max()
        }
        let head = heads.map { "<th>\(Self.escaped($0))</th>" }.joined()
        let body = rows.map { name, cells in
            let fields = cells.enumerated().map { column, cell -> String in
                guard let cell else { return "<td>–</td>" }
                let isBest = marksBest && rows.count > 1 && cell.value == best[column]
                return "<td\(isBest ? " class=\"best\"" : "")>"
                    + EvaluationReport.percent(cell.value, cell.deviation) + "</td>"
            }
            return "<tr><td>\(Self.escaped(name))</td>\(fields.joined())</tr>\n"
        }
        return "<h3>\(Self.escaped(title))</h3>\n<div class=\"wide\"><table><thead><tr><th></th>"
            + "\(head)</tr></thead>\n<tbody>\(body.joined())</tbody></table></div>\n"
    }

    /// Where the figures come from: program, images, checkpoints and their settings.
    var provenance: String {
        let words = data.classes.map { "\(Self.escaped($0.word)) \($0.count)" }
        var html =
            "<p>saccader-eval \(Self.escaped(report.program)). Images of each class: "
            + words.prefix(50).joined(separator: ", ")
            + (words.count > 50 ? " and \(words.count - 50) more classes" : "") + ".</p>\n"
        let judge = report.occlusion?.provenance.map { [("Classifier", $0)] } ?? []
        for (what, origin) in report.checkpoints.map({ ("File", $0.provenance) }) + judge {
            let facts: [(String, String)] = [
                (what, origin.path), ("Stage", origin.stage), ("Step", "\(origin.step)"),
                ("Epochs", "\(origin.epoch)"), ("Images seen in the stage", "\(origin.samples)"),
                ("Seed", "\(origin.seed)"), ("Ranks", "\(origin.worldSize)"),
                ("Written by", origin.program.isEmpty ? "another program" : origin.program),
                (
                    "Accuracy on development images",
                    origin.developmentAccuracy.map { EvaluationReport.percent($0, nil) + " %" }
                        ?? "not scored"
                ),
            ]
            let rows = facts.map {
                "<tr><td>\(Self.escaped($0))</td><td>\(Self.escaped($1))</td></tr>\n"
            }
            html +=
                "<div class=\"wide\"><table><tbody>\(rows.joined())</tbody></table></div>\n"
                + "<details><summary>Settings"
                + "</summary><pre>\(Self.escaped(Self.pretty(origin.config)))</pre></details>\n"
        }
        return html
    }

    /// JSON with one value a line, or the text itself where it is none.
    private static func pretty(_ json: String) -> String {
        do {
            let object = try JSONSerialization.jsonObject(with: Foundation.Data(json.utf8))
            let data = try JSONSerialization.data(
                withJSONObject: object,
                options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
            return String(decoding: data, as: UTF8.self)
        } catch {
            return json
        }
    }
}
