/// What a cross entropy compares probabilities with, as PyTorch's `CrossEntropyLoss` has it, with
/// class weights w and label smoothing ε over c classes:
///
///     ℓ(z, y) = −Σ_k t_k·log p_k      t_k = ε/c·w_k + (1 − ε)·w_y·[k = y]      p = softmax(z)
///
/// The mean over images divides Σ ℓ by Σ w_y.
public struct ClassTargets: Sendable {
    /// ε.
    let smoothing: Double
    /// w of each class; empty: all 1.
    let weights: [Double]

    /// The label alone, all classes alike.
    public static let plain = ClassTargets(smoothing: 0, weights: [])

    /// Takes ε and w.
    public init(smoothing: Double, weights: [Double]) {
        (self.smoothing, self.weights) = (smoothing, weights)
    }

    /// The targets of a stage.
    public init(_ settings: any StageSettings, _ plan: StepPlan) {
        self.init(smoothing: settings.labelSmoothing, weights: plan.classWeights)
    }

    /// Whether it is the plain cross entropy.
    var isPlain: Bool { smoothing == 0 && weights.isEmpty }

    /// w of a class.
    func weight(_ label: Int) -> Double { weights.isEmpty ? 1 : weights[label] }
}
