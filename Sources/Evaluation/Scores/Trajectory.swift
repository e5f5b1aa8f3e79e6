import Foundation
import SaccaderModel

/// What one policy did on one image.
public struct Trajectory: Equatable, Sendable {
    /// Places in order, `[T]`.
    public let locations: [Int]
    /// What the averaged logits say after 1, 2, … T glimpses.
    public let predictions: [Int]
    /// How many classes come before the image's own: 0 is right, below 5 top-5 right.
    public let labelRanks: [Int]
    /// The cross entropy −log p(label) of the averaged logits, in millionths: an integer, so that
    /// it travels between ranks exactly.
    public let losses: [Int]
    /// Pixels in the union of the first 1, 2, … T windows.
    public let coveredPixels: [Int]
    /// How many of the first 1, 2, … T glimpses are near a known place.
    public let hits: [Int]
    /// Whether the image's places of evidence are known.
    public let isKnown: Bool

    /// Follows places on an image.
    ///
    /// - Parameters:
    ///   - averages: The averaged logits after 1, 2, … T glimpses.
    ///   - coveredPixels: Those in the union of the first 1, 2, … T windows.
    ///   - known: Where the evidence lies, (y, x) in pixels of what the model sees.
    ///   - scale: What the hits' distance is multiplied by.
    init(
        _ locations: [Int], averages: [[Float]], coveredPixels: [Int], label: Int,
        geometry: Geometry, known: [(y: Int, x: Int)], scale: Double = 1
    ) {
        (self.locations, self.coveredPixels) = (locations, coveredPixels)
        predictions = averages.map { AveragedLogits.prediction($0) }
        labelRanks = averages.map { AveragedLogits.rank(of: label, in: $0) }
        losses = averages.map { Int((1e6 * Self.crossEntropy($0, label: label)).rounded()) }
        isKnown = !known.isEmpty
        var count = 0
        hits = locations.map { location in
            let center = geometry.centralPixel(ofLocation: location)
            let isHit = known.contains {
                Double(max(abs($0.y - center.y), abs($0.x - center.x)))
                    <= Double(PolicyScore.hitDistance) * scale
            }
            count += isHit ? 1 : 0
            return count
        }
    }

    private static func crossEntropy(_ logits: [Float], label: Int) -> Double {
        let largest = logits.max() ?? 0
        let sum = logits.reduce(0.0) { $0 + exp(Double($1 - largest)) }
        return log(sum) - Double(logits[label] - largest)
    }
}
