import SaccaderModel

extension EvaluationReport {
    /// One row for each checkpoint, policy and number of glimpses: the content of `results.csv`.
    ///
    /// The network without attention is the policy `meanLogits`, without glimpses.
    public func csv(order: [Policy]) -> String {
        var rows = [
            [
                "checkpoint", "stage", "step", "seed", "split", "images", "policy", "glimpses",
                "repeats", "top1Count", "top1", "top5Count", "top5", "coverage",
                "coverageDeviation", "diversity", "hits",
            ]
        ]
        for part in checkpoints {
            let origin = part.provenance
            let start = [
                origin.path, origin.stage, "\(origin.step)", "\(origin.seed)", split, "\(images)",
            ]
            let mean = part.meanLogits
            rows.append(
                start + ["meanLogits", "", "1", "\(mean.top1Count)", "\(mean.top1)"]
                    + ["\(mean.top5Count)", "\(mean.top5)", "", "", "", ""])
            for policy in order {
                for entry in part.policies[policy.rawValue] ?? [] {
                    rows.append(start + [policy.rawValue] + Self.fields(entry))
                }
            }
        }
        return rows.map { $0.map(Self.quoted).joined(separator: ",") + "\n" }.joined()
    }

    private static func fields(_ entry: Entry) -> [String] {
        let counts = [entry.glimpses, entry.repeats, entry.top1Count].map { "\($0)" }
        let rest = [entry.coverage, entry.coverageDeviation, entry.diversity].map { "\($0)" }
        return counts + ["\(entry.top1)", "\(entry.top5Count)", "\(entry.top5)"] + rest
            + [entry.hits.map { "\($0)" } ?? ""]
    }

    /// A field of a CSV line (RFC 4180).
    private static func quoted(_ text: String) -> String {
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
