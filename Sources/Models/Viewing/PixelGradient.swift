/// The gradient of a prediction's cross entropy with respect to the pixels: what an attack on an
/// image follows (paper, appendix D).
public protocol PixelGradient: Sendable {
    /// Images of one call.
    var imageCapacity: Int { get }
    /// Bytes that a call takes, known before any are taken.
    var byteCount: Int { get }
    /// Predicts and, where labels are given, follows the cross entropy back to the pixels.
    ///
    /// - Parameters:
    ///   - pixels: Standardised, `[N, H, W, 3]`.
    ///   - labels: `[N]`, or nil where only predictions are wanted.
    func callAsFunction(
        _ pixels: [Float], imageCount: Int, labels: [Int32]?, of target: AttackTarget
    ) throws -> [AttackedImage]
}

/// Which prediction an attack is on.
public enum AttackTarget: String, CaseIterable, Codable, Sendable {
    /// That after the learned policy's glimpses.
    case learned
    /// The mean of all logits: the network without attention.
    case meanLogits
}

/// What was found on one image.
public struct AttackedImage: Sendable {
    /// The logits of the prediction, `[c]`.
    public let prediction: [Float]
    /// The locations whose logits were averaged.
    public let locations: [Int]
    /// The gradient of the prediction's cross entropy, `[H, W, 3]`; empty unless asked for.
    public let gradient: [Float]

    /// Names what was found.
    public init(prediction: [Float], locations: [Int], gradient: [Float]) {
        (self.prediction, self.locations, self.gradient) = (prediction, locations, gradient)
    }
}
