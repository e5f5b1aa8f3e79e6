import Foundation
import Images
import Models

extension EvaluationReport {
    /// The table policy × glimpses, one block for each question.
    ///
    /// - Parameters:
    ///   - order: Policies in the order of their rows.
    ///   - counts: The columns.
    public func table(order: [Policy], counts: GlimpseList) -> String {
        let what =
            checkpoints.count == 1
            ? "checkpoint \(checkpoint)"
            : "mean ± SD (n − 1) of \(checkpoints.count) checkpoints"
        var lines = ["\(images) images of \(split) in \(data), \(what)"]
        if resize == Framing.whole.rawValue { lines[0] += ", shown as a whole" }
        if let draws, draws > 1 { lines[0] += ", random: mean of \(draws) draws" }
        if let meanLogits {
            lines.append(
                "\(wholeTitle), no attention: top-1 "
                    + Self.percent(meanLogits.top1, meanLogits.deviation?.top1) + " %, top-5 "
                    + Self.percent(meanLogits.top5, meanLogits.deviation?.top5) + " %")
        }
        let width = checkpoints.count > 1 ? 11 : 7
        func block(
            _ title: String, _ value: (Entry) -> Double?, _ deviation: (Deviation) -> Double?
        ) {
            let rows = order.compactMap { policy -> String? in
                let entries = (policies[policy.rawValue] ?? [])
                    .filter { counts.shown.contains($0.glimpses) }
                let cells = entries.compactMap { entry in
                    value(entry).map {
                        // Draws of one policy alone would need a width of their own.
                        let spread = checkpoints.count > 1 ? entry.deviation : nil
                        return Self.percent($0, spread.flatMap(deviation))
                    }
                }
                if cells.isEmpty { return nil }
                return policy.rawValue.padding(toLength: 24, withPad: " ", startingAt: 0)
                    + cells.map { Self.padded($0, width) }.joined()
            }
            if rows.isEmpty { return }
            lines.append("")
            lines.append(
                title.padding(toLength: 24, withPad: " ", startingAt: 0)
                    + counts.shown.map { Self.padded("T=\($0)", width) }.joined())
            lines += rows
        }
        block("top-1 accuracy, %", \.top1, \.top1)
        lines += Self.table(
            equalCoverage, "top-1, %, having seen", order: order, counts: counts, width: width)
        block("top-5 accuracy, %", \.top5, \.top5)
        block("part of image seen, %", \.coverage, \.coverage)
        if let coverageNote { lines.append("(\(coverageNote))") }
        block("location diversity, %", \.diversity, \.diversity)
        block("glimpses on a digit, %", \.hits, \.hits)
        if let occlusion { lines += table(occlusion, order: order, counts: counts, width: width) }
        lines += classification?.lines ?? []
        return (lines + robustnessTable).joined(separator: "\n")
    }

    /// What a classifier loses without the policies' windows.
    private func table(
        _ occlusion: Occlusion, order: [Policy], counts: GlimpseList, width: Int
    ) -> [String] {
        var lines = [
            "",
            "the glimpses' windows taken out of the images, top-1 accuracy of the classifier "
                + occlusion.classifier,
            "on whole images: " + Self.percent(occlusion.intactTop1, nil) + " %",
            "top-1 without them, %".padding(toLength: 24, withPad: " ", startingAt: 0)
                + counts.shown.map { Self.padded("T=\($0)", width) }.joined(),
        ]
        for policy in order {
            let cells = (occlusion.policies[policy.rawValue] ?? [])
                .filter { counts.shown.contains($0.glimpses) }
                .map { entry in
                    let spread = checkpoints.count > 1 ? entry.deviation?.top1 : nil
                    return Self.padded(Self.percent(entry.top1, spread), width)
                }
            if cells.isEmpty { continue }
            lines.append(
                policy.rawValue.padding(toLength: 24, withPad: " ", startingAt: 0)
                    + cells.joined())
        }
        return lines
            + Self.table(
                occlusion.equalCoverage, "top-1, %, taken out", order: order, counts: counts,
                width: width)
    }

    /// Rows of the other policies' accuracy where their windows cover as much as the learned one's.
    private static func table(
        _ equalCoverage: [EqualCoverage], _ title: String, order: [Policy], counts: GlimpseList,
        width: Int
    ) -> [String] {
        let columns = equalCoverage.filter { counts.shown.contains($0.glimpses) }
        let rows = order.compactMap { policy -> String? in
            let cells = columns.map { column in
                column.top1[policy.rawValue].map {
                    percent($0, column.deviation?[policy.rawValue])
                }
            }
            guard cells.contains(where: { $0 != nil }) else { return nil }
            return policy.rawValue.padding(toLength: 24, withPad: " ", startingAt: 0)
                + cells.map { padded($0 ?? "–", width) }.joined()
        }
        if rows.count < 2 { return [] }
        let heads = columns.map { padded(percent($0.coverage, nil) + "%", width) }
        return [
            "", title.padding(toLength: 24, withPad: " ", startingAt: 0) + heads.joined(),
        ] + rows
    }

    /// The last two lines: what the figures are of, and the figures as PyTorch's examples print
    /// them.
    public var headline: String {
        let (what, top1, top5, deviation): (String, Double, Double, Deviation?)
        if let policy = headlinePolicy, let entry = entry(policy, headlineGlimpses) {
            what = "\(policy.rawValue), T = \(headlineGlimpses)"
            (top1, top5, deviation) = (entry.top1, entry.top5, entry.deviation)
        } else {
            what = wholeTitle
            (top1, top5) = (meanLogits?.top1 ?? 0, meanLogits?.top5 ?? 0)
            deviation = meanLogits?.deviation
        }
        let spread = deviation.map { deviation in
            String(
                format: ", mean of %d %@, SD (n − 1) %.3f and %.3f",
                checkpoints.count > 1 ? checkpoints.count : draws ?? 1,
                checkpoints.count > 1 ? "checkpoints" : "draws",
                100 * deviation.top1, 100 * deviation.top5)
        }
        return "\(what)\(spread ?? ""):\n"
            + String(format: " * Acc@1 %.3f Acc@5 %.3f", 100 * top1, 100 * top5)
    }

    static func percent(_ value: Double, _ deviation: Double?) -> String {
        guard let deviation else { return String(format: "%.1f", 100 * value) }
        return String(format: "%.1f±%.1f", 100 * value, 100 * deviation)
    }

    static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
