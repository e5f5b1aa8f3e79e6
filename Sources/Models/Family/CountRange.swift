/// The numbers that a setting which counts something may have.
///
/// The upper ends lie far beyond any use; they keep products of settings within the range of
/// integers, so that an absurd one is told and not computed with.
public enum CountRange {
    /// Channels of a layer.
    public static let channels = 1...100_000
    /// Classes.
    public static let classes = 1...1_000_000
    /// The side of an image, in pixels.
    public static let imageSize = 1...8192
    /// Images of a batch or shard.
    public static let images = 1...1_000_000_000
    /// Threads.
    public static let threads = 1...1024
    /// Layers, groups of layers, and glimpses' samples.
    public static let few = 1...1000

    /// Epochs beyond which their steps could not be counted.
    public static let mostEpochs = 1e6
}
