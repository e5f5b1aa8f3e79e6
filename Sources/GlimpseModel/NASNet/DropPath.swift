import Tensors

/// What a step of training leaves out by chance, a function of the run's seed, the step and the
/// image's number alone: the same for any number of ranks and threads.
struct StepNoise: Sendable {
    /// The run's seed.
    let seed: UInt64
    /// Stage and step.
    let stream: UInt64
    /// The key of each row of the batch, `[B·T]`.
    let keys: [UInt64]
    /// The part of the stage's steps that are done.
    let progress: Double

    /// The features' factor: 0 for the part that is left out, else what keeps the mean.
    ///
    /// - Parameter body: Gets a feature's number and its factor.
    func dropout(_ part: Double, row: Int, count: Int, _ body: (Int, Float) -> Void) {
        var random = CounterRandom(
            seed: seed, purpose: .dropout, stream: stream, index: keys[row])
        let factor = Float(1 / (1 - part))
        for index in 0..<count { body(index, random.uniform() < part ? 0 : factor) }
    }

    /// A branch's factor: 0 where it is left out, else what keeps the mean.
    ///
    /// - Parameters:
    ///   - keep: The probability that it is kept.
    ///   - branch: A number of its own in the network.
    func dropPath(keep: Double, branch: Int, row: Int) -> Float {
        var random = CounterRandom(
            seed: seed &+ UInt64(branch) &* 0x9E37_79B9_7F4A_7C15, purpose: .dropPath,
            stream: stream, index: keys[row])
        return random.uniform() < keep ? Float(1 / keep) : 0
    }
}
