import Layers
import Tensors

/// What a model that is not trained is planned for.
public struct ViewPlan: Sendable {
    /// The precision of what is stored between layers.
    public let precision: Precision
    /// The model's numbers.
    public let store: ParameterStore
    /// The threads.
    public let pool: ThreadPool
    /// The most images of a call.
    public let imageCapacity: Int
    /// Images that one thread takes at a time.
    public let shardSize: Int
    /// T, the most glimpses.
    public let glimpses: Int
    /// The policies that will be followed, each with the number of its draws; empty: the model
    /// looks at whole images alone.
    public let policies: [Policy: Int]
    /// The run's seed, from which random policies draw.
    public let seed: UInt64

    /// Describes what will be asked.
    public init(
        precision: Precision = .float32, store: ParameterStore, pool: ThreadPool,
        imageCapacity: Int, shardSize: Int, glimpses: Int, policies: [Policy: Int], seed: UInt64
    ) {
        (self.precision, self.store, self.pool) = (precision, store, pool)
        (self.imageCapacity, self.shardSize, self.glimpses) = (imageCapacity, shardSize, glimpses)
        (self.policies, self.seed) = (policies, seed)
    }

    /// Shards of a full call.
    public var shardCapacity: Int { (imageCapacity + shardSize - 1) / shardSize }

    /// The division of a call's images among threads.
    public func shards(_ imageCount: Int) -> [Range<Int>] {
        stride(from: 0, to: imageCount, by: shardSize).map {
            $0..<min(imageCount, $0 + shardSize)
        }
    }
}

/// The images of one call of a viewer.
public struct ViewedImages: Sendable {
    /// Standardised, `[N, H, W, 3]`.
    public let standardized: [Float]
    /// The same images in the size that patches are cut out of, `[N, S, S, 3]`; empty: they are
    /// `standardized`.
    public let patchImages: [Float]
    /// Each image on the scale [0, 1], `[H, W, 3]`; empty where no policies are followed.
    public let pixels: [[Float]]
    /// Each image's number in its set, which keys random policies, `[N]`.
    public let identifiers: [Int]

    /// Names images.
    public init(
        standardized: [Float], patchImages: [Float] = [], pixels: [[Float]], identifiers: [Int]
    ) {
        self.patchImages = patchImages
        (self.standardized, self.pixels, self.identifiers) = (standardized, pixels, identifiers)
    }
}

/// A model that looks at images and is not trained: from images to sequences of glimpses.
public protocol Viewer: Sendable {
    /// How many places a look tells apart, for counts of visits.
    var placeCount: Int { get }
    /// Bytes that a look at the most images takes, known before any are taken.
    var byteCount: Int { get }
    /// Takes up the store's numbers as they are now.
    func readParameters() throws
    /// What the model makes of each image, by each policy that was planned.
    ///
    /// - Parameter wantsMap: Whether the views tell where the learned policy wants to look.
    func callAsFunction(_ images: ViewedImages, wantsMap: Bool) throws -> [ModelOutput]
}
