import SaccaderModel

extension EvaluationReport {
    /// One row for each checkpoint, policy and number of glimpses: the content of `results.csv`.
    ///
    /// The network without attention is the policy `meanLogits`, without glimpses; the classifier
    /// that judges occluded images has on whole ones the policy `classifier`.
    public func csv(order: [Policy]) -> String {
        var rows = [
            [
                "checkpoint", "stage", "step", "seed", "split", "images", "policy", "glimpses",
                "repeats", "top1Count", "top1", "top5Count", "top5", "coverage",
                "coverageDeviation", "diversity", "hits", "occludedTop1Count", "occludedTop1",
                "occludedTop5Count", "occludedTop5",
            ]
        ]
        let none = [String](repeating: "", count: 4)
        for part in checkpoints {
            let origin = part.provenance
            let start = [
                origin.path, origin.stage, "\(origin.step)", "\(origin.seed)", split, "\(images)",
            ]
            let mean = part.meanLogits
            rows.append(
                start + ["meanLogits", "", "1", "\(mean.top1Count)", "\(mean.top1)"]
                    + ["\(mean.top5Count)", "\(mean.top5)", "", "", "", ""] + none)
            if let occlusion = part.occlusion {
                rows.append(
                    start + ["classifier", "", "1", "\(occlusion.intactTop1Count)"]
                        + ["\(occlusion.intactTop1)", "\(occlusion.intactTop5Count)"]
                        + ["\(occlusion.intactTop5)", "", "", "", ""] + none)
            }
            for policy in order {
                let occluded = part.occlusion?.policies[policy.rawValue] ?? []
                for entry in part.policies[policy.rawValue] ?? [] {
                    let rest = occluded.first { $0.glimpses == entry.glimpses }
                    rows.append(
                        start + [policy.rawValue] + Self.fields(entry)
                            + (rest.map(Self.fields) ?? none))
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

    private static func fields(_ entry: Occlusion.Entry) -> [String] {
        ["\(entry.top1Count)", "\(entry.top1)", "\(entry.top5Count)", "\(entry.top5)"]
    }

    /// A field of a CSV line (RFC 4180).
    static func quoted(_ text: String) -> String {
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
