import Foundation
import SaccaderModel

/// What an evaluation came to, as a table for people and as JSON for programs.
public struct EvaluationReport: Codable, Equatable, Sendable {
    /// One policy after one number of glimpses.
    public struct Entry: Codable, Equatable, Sendable {
        /// T.
        public let glimpses: Int
        /// Images whose class has the largest averaged logit, and their part of all.
        public let top1Count: Int
        /// The part of images that are right.
        public let top1: Double
        /// Images whose class is among the five largest.
        public let top5Count: Int
        /// Their part of all.
        public let top5: Double
        /// The mean part of an image's pixels inside the union of the windows.
        public let coverage: Double
        /// Its standard deviation over images.
        public let coverageDeviation: Double
        /// The part of glimpses whose centre is near a known place; left out where none is known.
        public let hits: Double?
    }

    /// The network without attention: the mean of all logits.
    public struct MeanLogits: Codable, Equatable, Sendable {
        /// Images that are right.
        public let top1Count: Int
        /// Their part of all.
        public let top1: Double
        /// Images whose class is among the five largest.
        public let top5Count: Int
        /// Their part of all.
        public let top5: Double
    }

    /// The checkpoint's path.
    public let checkpoint: String
    /// The stage in which it was written.
    public let stage: String
    /// Steps of that stage.
    public let step: Int
    /// The data folder.
    public let data: String
    /// The subset.
    public let split: String
    /// Images looked at, each once.
    public let images: Int
    /// Without attention.
    public let meanLogits: MeanLogits
    /// By policy.
    public let policies: [String: [Entry]]

    /// JSON with sorted keys.
    public func json(isPretty: Bool = false) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// The table policy × glimpses, one block for each question.
    ///
    /// - Parameters:
    ///   - order: Policies in the order of their rows.
    ///   - counts: The columns.
    public func table(order: [Policy], counts: GlimpseList) -> String {
        var lines = ["\(images) images of \(split) in \(data), checkpoint \(checkpoint)"]
        lines.append(
            String(
                format: "mean of all logits, no attention: top-1 %.1f %%, top-5 %.1f %%",
                100 * meanLogits.top1, 100 * meanLogits.top5))
        func block(_ title: String, _ value: (Entry) -> Double?) {
            let rows = order.compactMap { policy -> String? in
                let entries = (policies[policy.rawValue] ?? [])
                    .filter { counts.shown.contains($0.glimpses) }
                let values = entries.compactMap(value)
                if values.isEmpty { return nil }
                return policy.rawValue.padding(toLength: 24, withPad: " ", startingAt: 0)
                    + values.map { String(format: "%7.1f", 100 * $0) }.joined()
            }
            if rows.isEmpty { return }
            lines.append("")
            lines.append(
                title.padding(toLength: 24, withPad: " ", startingAt: 0)
                    + counts.shown.map { Self.padded("T=\($0)", 7) }.joined())
            lines += rows
        }
        block("top-1 accuracy, %", \.top1)
        block("top-5 accuracy, %", \.top5)
        block("part of image seen, %", \.coverage)
        block("glimpses on a digit, %", \.hits)
        return lines.joined(separator: "\n")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
