import Foundation

/// Softmax over one vector, in place, and what training needs around it.
public enum Softmax {
    /// Replaces x by exp(x)/Σ exp(x), the largest element subtracted first.
    ///
    /// Returns log Σ exp(x), with which log-probabilities are exact where the softmax underflows.
    @discardableResult
    public static func apply(_ values: UnsafeMutablePointer<Float>, count: Int) -> Double {
        var largest = -Float.infinity
        for index in 0..<count { largest = max(largest, values[index]) }
        var sum = 0.0
        for index in 0..<count {
            let value = exp(values[index] - largest)
            values[index] = value
            sum += Double(value)
        }
        let factor = Float(1 / sum)
        for index in 0..<count { values[index] *= factor }
        return Double(largest) + log(sum)
    }

    /// Replaces the gradient of the output by the gradient of the input:
    /// `s·(g − Σ s·g)` with s the output.
    public static func backward(
        _ gradient: UnsafeMutablePointer<Float>, output: UnsafePointer<Float>, count: Int
    ) {
        var product = 0.0
        for index in 0..<count { product += Double(gradient[index]) * Double(output[index]) }
        let mean = Float(product)
        for index in 0..<count { gradient[index] = output[index] * (gradient[index] - mean) }
    }

    /// The index of the largest element, the lowest one where several are equal.
    public static func argmax(_ values: UnsafePointer<Float>, count: Int) -> Int {
        var best = 0
        for index in 1..<max(1, count) where values[index] > values[best] { best = index }
        return best
    }
}
