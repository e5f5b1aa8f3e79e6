import Foundation

/// Linear warm-up, then cosine decay to 0 (Method: Stages).
struct LearningRateSchedule: Sendable {
    /// The largest rate.
    let peak: Double
    let warmupSteps: Int
    let totalSteps: Int

    /// The rate of a step, counted from 0: (step + 1)/warmup of the peak while warming up, then
    /// ½(1 + cos(π·(step − warmup)/(total − warmup))).
    func rate(step: Int) -> Double {
        if step < warmupSteps { return peak * Double(step + 1) / Double(warmupSteps) }
        let length = max(1, totalSteps - warmupSteps)
        return peak * 0.5 * (1 + cos(Double.pi * Double(step - warmupSteps) / Double(length)))
    }
}
