import Tensors

/// The ways of choosing glimpses that evaluation compares (method §3).
public enum Policy: String, CaseIterable, Sendable {
    /// The argmax of the cell's policy.
    case learned
    /// Uniform over the places not yet visited.
    case random
    /// By the logit of the class that the mean logits predict.
    case orderedLogits
    /// By the mean gradient magnitude.
    case sobelMean
    /// By the variance of the gradient magnitude.
    case sobelVariance
    /// Always the middle.
    case center

    /// Whether the attention network and the cell are needed.
    public var isLearned: Bool { self == .learned }

    /// Whether several draws differ.
    public var isRandom: Bool { self == .random }

    /// What plots, pictures and reports call it.
    public var title: String {
        switch self {
        case .learned: "Saccader (learned)"
        case .random: "Random"
        case .orderedLogits: "Ordered logits"
        case .sobelMean: "Sobel mean"
        case .sobelVariance: "Sobel variance"
        case .center: "Centre"
        }
    }

    /// The places of one image in order.
    ///
    /// - Parameters:
    ///   - view: What the model made of the image.
    ///   - image: Its pixels, `[H, W, 3]` on the scale [0, 1].
    ///   - identifier: The image's number, which keys the random policy.
    ///   - draw: Which of several independent draws of the random policy.
    public func locations(
        _ view: Inference<Float>.View, image: [Float], imageSize: Int, geometry: Geometry,
        classes: Int, most: Int, seed: UInt64, identifier: Int, draw: Int = 0
    ) -> [Int] {
        switch self {
        case .learned:
            return Array(view.learned.prefix(most))
        case .random:
            var random = CounterRandom(
                seed: seed, purpose: .randomPolicy, stream: UInt64(draw),
                index: UInt64(identifier))
            return Array((0..<geometry.locationCount).shuffled(using: &random).prefix(most))
        case .orderedLogits:
            return LogitOrder.locations(
                view.logits, classes: classes, order: .predictedClass, most: most)
        case .sobelMean, .sobelVariance:
            return Sobel.locations(
                image, size: imageSize, geometry: geometry,
                statistic: self == .sobelMean ? .mean : .variance, most: most)
        case .center:
            let middle = (geometry.gridSize - 1) / 2
            return [Int](repeating: middle * geometry.gridSize + middle, count: most)
        }
    }
}
