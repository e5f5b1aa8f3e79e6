import Foundation

/// Linear warm-up, then cosine decay to 0 (Method: Stages).
struct LearningRateSchedule: Sendable {
    /// The largest rate.
    let peak: Double
    let warmupSteps: Int
    let totalSteps: Int

    /// The rate of a step, counted from 0: (step + 1)/warmup of the peak while warming up, then
    /// ½(1 + cos(π·(step − warmup)/(total − warmup))).
    ///
    /// - Parameter step: Between two whole ones where a batch begins there.
    func rate(step: Double) -> Double {
        let warmup = Double(warmupSteps)
        if step + 1 <= warmup { return peak * (step + 1) / warmup }
        if step < warmup { return peak }
        let length = Double(max(1, totalSteps - warmupSteps))
        return peak * 0.5 * (1 + cos(Double.pi * (step - warmup) / length))
    }
}
