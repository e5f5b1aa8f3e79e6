import Models

extension EvaluationReport {
    /// One row for each checkpoint, policy and number of glimpses: the content of `results.csv`.
    ///
    /// The network without attention is the policy `meanLogits`, without glimpses; the classifier
    /// that judges occluded images has on whole ones the policy `classifier`. Of several
    /// checkpoints rows with the checkpoint `mean` follow. The columns that end in SD are sample
    /// standard deviations (n − 1): over checkpoints, or of one over the random policy's draws.
    public func csv(order: [Policy]) -> String { Self.lines(csvRows(order: order)) }

    /// The rows of `results.csv`, the names of the columns first.
    func csvRows(order: [Policy]) -> [[String]] {
        var rows = [
            [
                "checkpoint", "stage", "step", "seed", "split", "images", "policy", "glimpses",
                "repeats", "top1Count", "top1", "top5Count", "top5", "coverage",
                "coverageDeviation", "diversity", "hits", "occludedTop1Count", "occludedTop1",
                "occludedTop5Count", "occludedTop5", "top1SD", "top5SD", "coverageSD",
                "diversitySD", "hitsSD", "occludedTop1SD", "occludedTop5SD",
            ]
        ]
        for part in checkpoints {
            let origin = part.provenance
            rows += csvRows(
                [origin.path, origin.stage, "\(origin.step)", "\(origin.seed)"], part.meanLogits,
                part.policies, part.occlusion, repeats: 1, order: order)
        }
        if checkpoints.count > 1 {
            rows += csvRows(
                ["mean", stage, "", ""], meanLogits, policies, occlusion,
                repeats: checkpoints.count, order: order)
        }
        return rows
    }

    /// The rows of one checkpoint, or of the mean of all.
    private func csvRows(
        _ origin: [String], _ mean: MeanLogits?, _ policies: [String: [Entry]],
        _ occlusion: Occlusion?, repeats: Int, order: [Policy]
    ) -> [[String]] {
        let start = origin + [split, "\(images)"]
        func empty(_ count: Int) -> [String] { [String](repeating: "", count: count) }
        var rows: [[String]] = []
        if let mean {
            rows.append(
                start + ["meanLogits", "", "\(repeats)", "\(mean.top1Count)", "\(mean.top1)"]
                    + ["\(mean.top5Count)", "\(mean.top5)"] + empty(8)
                    + Self.spread(mean.deviation) + empty(2))
        }
        if let occlusion {
            rows.append(
                start + ["classifier", "", "1", "\(occlusion.intactTop1Count)"]
                    + ["\(occlusion.intactTop1)", "\(occlusion.intactTop5Count)"]
                    + ["\(occlusion.intactTop5)"] + empty(15))
        }
        for policy in order {
            let occluded = occlusion?.policies[policy.rawValue] ?? []
            for entry in policies[policy.rawValue] ?? [] {
                let rest = occluded.first { $0.glimpses == entry.glimpses }
                rows.append(
                    start + [policy.rawValue] + Self.fields(entry)
                        + (rest.map(Self.fields) ?? empty(4)) + Self.spread(entry.deviation)
                        + Self.spread(rest?.deviation).prefix(2))
            }
        }
        return rows
    }

    private static func fields(_ entry: Entry) -> [String] {
        let counts = [entry.glimpses, entry.repeats, entry.top1Count].map { "\($0)" }
        let rest = [entry.coverage, entry.coverageDeviation, entry.diversity].map { "\($0)" }
        return counts + ["\(entry.top1)", "\(entry.top5Count)", "\(entry.top5)"] + rest
            + [entry.hits.map { "\($0)" } ?? ""]
    }

    private static func fields(_ entry: Occlusion.Entry) -> [String] {
        ["\(entry.top1Count)", "\(entry.top1)", "\(entry.top5Count)", "\(entry.top5)"]
    }

    /// The standard deviations' columns, empty where there are none.
    static func spread(_ deviation: Deviation?) -> [String] {
        [
            deviation?.top1, deviation?.top5, deviation?.coverage, deviation?.diversity,
            deviation?.hits,
        ].map { $0.map { "\($0)" } ?? "" }
    }

    /// Rows as the text of a CSV file.
    static func lines(_ rows: [[String]]) -> String {
        rows.map { $0.map(quoted).joined(separator: ",") + "\n" }.joined()
    }

    /// A field of a CSV line (RFC 4180).
    static func quoted(_ text: String) -> String {
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
