/// An exponential moving average of a stage's weights.
public struct AveragingSettings: Codable, Equatable, Sendable {
    /// d, the part of the average that a step leaves; 0: no average is kept.
    public var decay = 0.0
    /// w: update t, counted from 0, leaves min(d, (1 + t)/(w + t)), so that an average which has
    /// hardly begun is not one of the first weights; 0: d from the start, 10 is usual.
    public var warmup = 0.0

    /// No average.
    public init() {}

    /// Whether an average is kept.
    public var isOn: Bool { decay > 0 }

    /// The part of the average that an update leaves; the first leaves nothing.
    ///
    /// - Parameter updates: Those before it.
    public func decay(after updates: Int) -> Double {
        updates == 0 ? 0 : min(decay, Double(1 + updates) / (warmup + Double(updates)))
    }

    /// What is wrong with it, by its key below the stage; nil: nothing.
    var problem: SettingProblem? {
        if !(0..<1).contains(decay) {
            return SettingProblem("ema.decay", "is \(decay): give at least 0 and less than 1")
        }
        if !(0...1e9).contains(warmup) {
            return SettingProblem(
                "ema.warmup", "is \(warmup): give at least 0 and at most 1000000000")
        }
        return nil
    }
}
