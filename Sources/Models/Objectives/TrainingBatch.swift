/// What one step trains on.
public struct TrainingBatch: Sendable {
    /// Standardised pixels of this rank's images, `[N, H, W, 3]`.
    public let images: [Float]
    /// The same images in the size that patches are cut out of, `[N, S, S, 3]`; empty: they are
    /// `images`.
    public let patchImages: [Float]
    /// The images' classes, `[N]`.
    public let labels: [Int32]
    /// Where the glimpses come from, in stages that have some.
    public let glimpses: GlimpseSource

    /// The part of the stage's steps that are done, 0 to 1: what changes in the course of a stage
    /// is a function of it.
    public let progress: Double

    /// Names a batch.
    public init(
        images: [Float], patchImages: [Float] = [], labels: [Int32], glimpses: GlimpseSource,
        progress: Double = 0
    ) {
        self.patchImages = patchImages
        (self.images, self.labels, self.glimpses) = (images, labels, glimpses)
        self.progress = progress
    }
}

/// Where a stage's trajectories come from.
public enum GlimpseSource: Sendable {
    /// Sampled from the policy; the numbers are keyed by seed, stream (stage and step) and the
    /// image's identifier `[N]`, so they do not depend on ranks.
    case sampled(seed: UInt64, stream: UInt64, identifiers: [Int])
    /// Given places of a grid, `[S, N, T]`.
    case fixed([Int32])
    /// Given places in the plane, (y, x), where −1 and 1 are the borders, `[S, N, T, 2]`.
    case places([Float])
}
