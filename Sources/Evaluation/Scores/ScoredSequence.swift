import Models

/// What one policy did on one image.
public struct ScoredSequence: Equatable, Sendable {
    /// What each glimpse sees, `[T]`.
    public let windows: [Window]
    /// Each glimpse's place among those that the model tells apart, `[T]`.
    public let places: [Int]
    /// What was seen before the first glimpse in low resolution.
    public let context: [Window]
    /// Whether pictures join the windows' middles by a line.
    public let showsPath: Bool
    /// What the model says after 1, 2, … T glimpses.
    public let predictions: [Int]
    /// How many classes come before the image's own: 0 is right, below 5 top-5 right.
    public let labelRanks: [Int]
    /// The cross entropy −log p(label) of the prediction, in millionths: an integer, so that
    /// it travels between ranks exactly; at most a million nats, so that sums of them fit.
    public let losses: [Int]
    /// The probability of the predicted class after 1, 2, … T glimpses, in millionths.
    public let confidences: [Int]
    /// Pixels in the union of the first 1, 2, … T windows.
    public let coveredPixels: [Int]
    /// How many of the first 1, 2, … T glimpses are near a known place.
    public let hits: [Int]
    /// Whether the image's places of evidence are known.
    public let isKnown: Bool

    /// Judges what a policy saw of an image.
    ///
    /// - Parameters:
    ///   - compared: The classes that a prediction may be.
    ///   - known: Where the evidence lies, (y, x) in pixels of what the model sees.
    init(
        _ sequence: GlimpseSequence, label: Int, compared: ComparedClasses = .all, imageSize: Int,
        known: [(y: Int, x: Int)]
    ) {
        (windows, places, context) = (sequence.windows, sequence.places, sequence.context)
        showsPath = sequence.showsPath
        coveredPixels = sequence.coveredPixels(imageSize: imageSize)
        let logits = sequence.predictions.map { compared($0) }
        predictions = logits.map { AveragedLogits.prediction($0) }
        labelRanks = logits.map { AveragedLogits.rank(of: label, in: $0) }
        let judged = logits.map { Confidence.judge($0, label: label) }
        losses = judged.map { Int((1e6 * min(1e6, $0.crossEntropy)).rounded()) }
        confidences = judged.map(\.confidence)
        isKnown = !known.isEmpty
        var count = 0
        let near = PolicyScore.hitDistance(imageSize: imageSize)
        hits = sequence.windows.map { window in
            let center = window.centralPixel
            let isHit = known.contains {
                Double(max(abs($0.y - center.y), abs($0.x - center.x))) <= near
            }
            count += isHit ? 1 : 0
            return count
        }
    }
}
