import Foundation

/// How sure a prediction is.
///
/// Probabilities are whole millionths: they are added and compared exactly, on any number of ranks.
public enum Confidence {
    /// A certain prediction's.
    public static let unit = 1_000_000

    /// The softmax of logits, `[c]`, in millionths.
    public static func probabilities(_ logits: [Float]) -> [Int] {
        let largest = logits.max() ?? 0
        let powers = logits.map { exp(Double($0 - largest)) }
        let sum = powers.reduce(0, +)
        return powers.map { millionths($0 / sum) }
    }

    /// A part in whole millionths.
    public static func millionths(_ part: Double) -> Int { Int((part * Double(unit)).rounded()) }

    /// What a prediction is worth to whoever knows the class.
    ///
    /// - Returns: −log p(label) in nats, and the predicted class's probability in millionths.
    public static func judge(
        _ logits: [Float], label: Int
    ) -> (crossEntropy: Double, confidence: Int) {
        let largest = logits.max() ?? 0
        let sum = logits.reduce(0.0) { $0 + exp(Double($1 - largest)) }
        return (log(sum) - Double(logits[label] - largest), millionths(1 / sum))
    }

    /// How many glimpses it takes until a prediction is as sure as asked for: all where it never is.
    ///
    /// - Parameter confidences: Of the prediction after 1, 2, … T glimpses, in millionths.
    public static func glimpses(_ confidences: [Int], threshold: Int) -> Int {
        (confidences.firstIndex { $0 >= threshold } ?? confidences.count - 1) + 1
    }
}
