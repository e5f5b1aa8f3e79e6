/// What one step trains on.
public struct TrainingBatch: Sendable {
    /// Standardised pixels of this rank's images, `[N, H, W, 3]`.
    public let images: [Float]
    /// Their classes, `[N]`.
    public let labels: [Int32]
    /// Where the joint stage's glimpses come from.
    public let glimpses: GlimpseSource

    /// Names a batch.
    public init(images: [Float], labels: [Int32], glimpses: GlimpseSource) {
        (self.images, self.labels, self.glimpses) = (images, labels, glimpses)
    }
}

/// Where the joint stage's trajectories come from.
public enum GlimpseSource: Sendable {
    /// Sampled from the policy; the numbers are keyed by seed, stream (stage and step) and the
    /// image's identifier `[N]`, so they do not depend on ranks.
    case sampled(seed: UInt64, stream: UInt64, identifiers: [Int])
    /// Given locations of a grid, `[S, N, T]`.
    case fixed([Int32])
    /// Given points (y, x), `[S, N, T, 2]`.
    case fixedPoints([Float])
}
