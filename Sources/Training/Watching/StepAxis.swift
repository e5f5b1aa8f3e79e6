import Models

/// Steps counted over all stages, which programs that know of no stages draw curves over.
struct StepAxis {
    /// Steps of the stages before.
    private var before = 0
    private var stage: Stage?
    /// Steps of the stage so far.
    private var last = 0

    /// The place on the axis of one that is not before those asked for so far.
    mutating func step(_ position: Position) -> Int {
        if position.stage != stage {
            before += last
            (stage, last) = (position.stage, 0)
        }
        last = max(last, position.step)
        return before + position.step
    }
}
