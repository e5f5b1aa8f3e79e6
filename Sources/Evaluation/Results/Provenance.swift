import Checkpoints

/// Where a checkpoint comes from.
public struct Provenance: Codable, Equatable, Sendable {
    /// The file.
    public let path: String
    /// The stage in which it was written.
    public let stage: String
    /// Steps done in that stage.
    public let step: Int
    /// Whole epochs done in that stage.
    public let epoch: Int
    /// Images seen in that stage.
    public let samples: Int
    /// The run's seed.
    public let seed: Int
    /// Ranks of the run.
    public let worldSize: Int
    /// The version of the program that wrote it; empty where another program did.
    public let program: String
    /// Top-1 accuracy on the development images, where it was scored.
    public let developmentAccuracy: Double?
    /// The run's settings, JSON.
    public let config: String

    init(path: String, header: CheckpointHeader) {
        self.path = path
        (stage, step, epoch) = (header.stage, header.step, header.epoch)
        (samples, seed, worldSize) = (header.samples, header.seed, header.worldSize)
        (program, developmentAccuracy) = (header.program, header.developmentAccuracy)
        config = header.config
    }
}
