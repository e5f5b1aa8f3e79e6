import Layers
import Tensors

/// Soft attention over the cell's policy: each glimpse averages the logits of all locations with
/// the weights R̃ of eq. 3, and the prediction is the mean over the glimpses.
///
/// The cell's state is as in hard attention: C^t marks the most attended location and carries no
/// gradient, so that later glimpses attend elsewhere.
struct SoftAttention: Sendable {
    /// R̃, and in a backward pass the gradient of R, `[N, T, P]`.
    private let weights: Tensor<Float>
    private let glimpses: Int

    init(glimpses: Int, locations: Int, in workspace: Workspace) {
        self.glimpses = glimpses
        weights = Tensor(
            Shape(workspace.imageCapacity, glimpses, 1, locations), in: workspace.arena)
    }

    private var locations: Int { weights.shape.channels }

    /// R̃ of an image, or the gradient of R after `backward`, `[T, P]`.
    func weights(_ image: Int) -> UnsafeMutablePointer<Float> { weights.row(image * glimpses) }

    /// The logits averaged with R̃ at each glimpse.
    ///
    /// - Parameters:
    ///   - policy: R of the image, `[T, P]`.
    ///   - logits: `[P, c]`.
    ///   - result: Overwritten with one row a glimpse, `[T, c]`.
    func average(
        _ image: Int, policy: UnsafePointer<Float>, logits: UnsafeMutablePointer<Float>,
        classes: Int, into result: UnsafeMutablePointer<Float>
    ) {
        let weights = weights(image)
        weights.update(from: policy, count: glimpses * locations)
        for t in 0..<glimpses { Softmax.apply(weights + t * locations, count: locations) }
        MatrixMultiply.product(
            Matrix(weights, stride: locations), Matrix(logits, stride: classes),
            into: Matrix(result, stride: classes), rows: glimpses, columns: classes,
            inner: locations)
    }

    /// Computes the gradients of the logits and of R from the prediction's (inverts `average`).
    ///
    /// - Parameters:
    ///   - gradient: Of the mean over the glimpses, `[c]`.
    ///   - logitsGradient: Overwritten, `[P, c]`.
    ///   - scratch: P floats.
    func backward(
        _ image: Int, gradient: UnsafeMutablePointer<Float>, logits: UnsafeMutablePointer<Float>,
        classes: Int, into logitsGradient: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>
    ) {
        let weights = weights(image)
        let part = 1 / Float(glimpses)
        // Every glimpse's average has the same gradient: of the logits their weights' mean.
        for place in 0..<locations {
            var weight: Float = 0
            for t in 0..<glimpses { weight += weights[t * locations + place] }
            let row = logitsGradient + place * classes
            for index in 0..<classes { row[index] = weight * part * gradient[index] }
        }
        MatrixMultiply.product(
            Matrix(logits, stride: classes), Matrix(gradient, stride: 1),
            into: Matrix(scratch, stride: 1), rows: locations, columns: 1, inner: classes)
        for t in 0..<glimpses {
            let row = weights + t * locations
            // R̃ = softmax(R) (3), its gradient being the same at every glimpse.
            var product = 0.0
            for place in 0..<locations { product += Double(scratch[place]) * Double(row[place]) }
            for place in 0..<locations {
                row[place] *= part * (scratch[place] - Float(product))
            }
        }
    }
}
