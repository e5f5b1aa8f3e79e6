import Foundation

extension ReportPage {
    /// Where the model fails: confusions, classes, early exit.
    ///
    /// - Parameter confusions: Their picture.
    func diagnosis(_ confusions: String) -> String {
        guard let classification = report.classification else { return "" }
        let percent = EvaluationReport.percent
        let what = Self.escaped(classification.what)
        return "<h2>Where it fails</h2>\n<p>Prediction of \(what). Balanced accuracy (mean recall "
            + "of the classes) "
            + percent(classification.balancedAccuracy, classification.balancedAccuracyDeviation)
            + " %, expected calibration error "
            + percent(classification.calibrationError, classification.calibrationErrorDeviation)
            + " %. All classes and all confusions are in classes.csv and confusions.csv.</p>\n"
            + confusions + classTable(classification) + exitTable(classification)
    }

    private func classTable(_ classification: Classification) -> String {
        let title =
            classification.showsSome
            ? "The \(Classification.shownCount) classes with the lowest recall"
            : "Recall and precision of each class"
        let rows = classification.shownClasses.map { figures in
            [figures.words, "\(figures.images)", "\(figures.predictedCount)"]
                + [figures.recall, figures.precision].map {
                    $0.map { EvaluationReport.percent($0, nil) } ?? "–"
                }
        }
        return table(
            title, heads: ["", "Images", "Predicted", "Recall (%)", "Precision (%)"], rows: rows)
    }

    private func exitTable(_ classification: Classification) -> String {
        guard let exits = classification.earlyExit else { return "" }
        return table(
            "Looking no further when the predicted class has this probability",
            heads: ["Probability (%)"] + exits.map { EvaluationReport.percent($0.confidence, nil) },
            rows: [
                ["Glimpses (mean)"] + exits.map { String(format: "%.2f", $0.glimpses) },
                ["Top-1 accuracy (%)"] + exits.map { EvaluationReport.percent($0.top1, nil) },
            ])
    }

    private func table(_ title: String, heads: [String], rows: [[String]]) -> String {
        let head = heads.map { "<th>\(Self.escaped($0))</th>" }.joined()
        let body = rows.map { cells in
            "<tr>" + cells.map { "<td>\(Self.escaped($0))</td>" }.joined() + "</tr>\n"
        }
        return "<h3>\(Self.escaped(title))</h3>\n<div class=\"wide\"><table><thead><tr>\(head)"
            + "</tr></thead>\n<tbody>\(body.joined())</tbody></table></div>\n"
    }
}
