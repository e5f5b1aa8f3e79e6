import Foundation

extension Classification {
    /// Which prediction is meant, for headings.
    var what: String {
        guard let policy, let glimpses else { return "the whole image" }
        return "\(policy), T = \(glimpses)"
    }

    /// The classes that tables for people show: all, or those with the lowest recall of many.
    var shownClasses: [ClassFigures] {
        let present = classes.filter { $0.images > 0 || $0.predictedCount > 0 }
        if present.count <= Self.mostInMatrix { return present }
        return Array(
            present.filter { $0.recall != nil }
                .sorted { ($0.recall ?? 1, $0.name) < ($1.recall ?? 1, $1.name) }
                .prefix(Self.shownCount))
    }

    /// Whether tables for people leave classes out.
    var showsSome: Bool { classes.count { $0.images > 0 } > Self.mostInMatrix }

    /// The confidences that a table of a terminal's width shows.
    private static let shownConfidences = [0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1]

    /// The lines of the table for people.
    var lines: [String] {
        let percent = EvaluationReport.percent
        func cell(_ value: Double?, _ width: Int) -> String {
            EvaluationReport.padded(value.map { percent($0, nil) } ?? "–", width)
        }
        var lines = [
            "", "where it fails (\(what))",
            "balanced accuracy " + percent(balancedAccuracy, balancedAccuracyDeviation)
                + " %, expected calibration error "
                + percent(calibrationError, calibrationErrorDeviation) + " %",
            "",
            head(showsSome ? "lowest recall" : "class")
                + "  images   recall, %  precision, %",
        ]
        for figures in shownClasses {
            lines.append(
                head(figures.words) + EvaluationReport.padded("\(figures.images)", 8)
                    + cell(figures.recall, 12) + cell(figures.precision, 14))
        }
        if !worstConfusions.isEmpty {
            lines += ["", "taken for another class most often"]
            lines += worstConfusions.prefix(10).map { confusion in
                head(words(confusion), 44) + " \(confusion.count) (" + percent(confusion.part, nil)
                    + " %)"
            }
        }
        if let earlyExit {
            let shown = earlyExit.filter { Self.shownConfidences.contains($0.confidence) }
            func row(_ title: String, _ value: (Exit) -> String) -> String {
                head(title) + shown.map { EvaluationReport.padded(value($0), 7) }.joined()
            }
            lines += [
                "", row("stopping when sure, %") { percent($0.confidence, nil) },
                row("glimpses, mean") { String(format: "%.2f", $0.glimpses) },
                row("top-1 accuracy, %") { percent($0.top1, nil) },
            ]
        }
        return lines
    }

    /// A confusion in words.
    func words(_ confusion: Confusion) -> String {
        "\(classes[confusion.label].words) → \(classes[confusion.predicted].words)"
    }

    /// A row's first cell; what is longer is cut.
    private func head(_ text: String, _ width: Int = 24) -> String {
        let text = text.count > width ? text.prefix(width - 1) + "…" : text[...]
        return text.padding(toLength: width, withPad: " ", startingAt: 0)
    }

    /// The tables as CSV files, by name.
    ///
    /// - Parameter confusions: All pairs of classes that occur.
    func csv(_ confusions: ConfusionTable) -> [(name: String, text: String)] {
        func number(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
        var files = [
            (
                "classes.csv",
                [
                    [
                        "label", "class", "words", "images", "predicted", "right", "recall",
                        "precision",
                    ]
                ]
                    + classes.enumerated().map { label, figures in
                        [
                            "\(label)", figures.name, figures.words, "\(figures.images)",
                            "\(figures.predictedCount)", "\(figures.rightCount)",
                            number(figures.recall), number(figures.precision),
                        ]
                    }
            ),
            (
                "confusions.csv",
                [["label", "class", "predictedLabel", "predictedClass", "count"]]
                    + confusions.confusions.map { pair in
                        [
                            "\(pair.label)", classes[pair.label].name, "\(pair.predicted)",
                            classes[pair.predicted].name, "\(pair.count)",
                        ]
                    }
            ),
            (
                "calibration.csv",
                [["above", "upTo", "count", "confidence", "top1"]]
                    + calibration.map {
                        [
                            "\($0.above)", "\($0.upTo)", "\($0.count)", number($0.confidence),
                            number($0.top1),
                        ]
                    }
            ),
        ]
        if let earlyExit {
            files.append(
                (
                    "early-exit.csv",
                    [["confidence", "glimpses", "top1"]]
                        + earlyExit.map { ["\($0.confidence)", "\($0.glimpses)", "\($0.top1)"] }
                ))
        }
        return files.map { ($0.0, EvaluationReport.lines($0.1)) }
    }
}
