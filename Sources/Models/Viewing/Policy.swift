/// The ways of choosing glimpses that evaluation compares (Method: Policies).
public enum Policy: String, CaseIterable, Sendable {
    /// The model's own, without chance.
    case learned
    /// Uniform: over the locations not yet visited, or over all places of an image.
    case random
    /// Takes places by the logit of the class that the mean logits predict (Saccader).
    case orderedLogits
    /// Takes places by the mean gradient magnitude.
    case sobelMean
    /// Takes places by the variance of the gradient magnitude.
    case sobelVariance
    /// Takes the middle each time.
    case center

    /// Whether what chooses the glimpses has been trained.
    public var isLearned: Bool { self == .learned }

    /// Whether several draws differ.
    public var isRandom: Bool { self == .random }

    /// What plots, pictures and reports call it.
    ///
    /// - Parameter family: The title of the model's family.
    public func title(_ family: String) -> String {
        switch self {
        case .learned: "\(family) (learned)"
        case .random: "Random"
        case .orderedLogits: "Ordered logits"
        case .sobelMean: "Sobel mean"
        case .sobelVariance: "Sobel variance"
        case .center: "Centre"
        }
    }
}
