import Layers
import Models
import Tensors

/// A classifier that looks at images and is not trained: batch norm in inference mode.
public final class ClassifierInference<Element: StorageElement>: Sendable {
    private let network: Classifier<Element>
    private let store: ParameterStore
    private let pool: ThreadPool
    private let workspace: Workspace
    private let buffers: Classifier<Element>.Buffers
    private let shardSize: Int

    /// Plans for batches of at most `imageCapacity` images.
    ///
    /// - Parameter shardSize: Images that one thread takes at a time.
    public init(
        _ network: Classifier<Element>, store: ParameterStore, pool: ThreadPool, imageSize: Int,
        imageCapacity: Int, shardSize: Int
    ) {
        (self.network, self.store, self.pool) = (network, store, pool)
        self.shardSize = shardSize
        workspace = Workspace(
            imageCapacity: imageCapacity,
            shardCapacity: (imageCapacity + shardSize - 1) / shardSize, keepsActivations: false)
        buffers = network.plan(imageSize: imageSize, in: workspace)
        workspace.commit(threadCount: pool.threadCount)
    }

    /// The most images of one call.
    public var imageCapacity: Int { workspace.imageCapacity }

    /// The logits of each of `imageCount` images, `[N, H, W, 3]`.
    public func callAsFunction(_ images: [Float], imageCount: Int) throws -> [[Float]] {
        let shards = stride(from: 0, to: imageCount, by: shardSize).map {
            $0..<min(imageCount, $0 + shardSize)
        }
        let pass = Pass(
            pool: pool, reducer: NoRanks(), store: store, workspace: workspace, shards: shards,
            globalImageCount: imageCount)
        buffers.images.load(images, pass: pass)
        try network.forward(buffers, mode: .inference, pass: pass)
        let logits = Activation(final: buffers.logits).values(imageCount: imageCount)
        return (0..<imageCount).map {
            Array(logits[($0 * network.classes)..<(($0 + 1) * network.classes)])
        }
    }
}
