import Layers
import Models
import Tensors

/// The network on patches, not trained: batch norm in inference mode.
///
/// A thread takes a few patches of one image at a time, so that an image's bits do not depend on
/// what else is looked at.
final class PatchClassifier<Element: StorageElement>: Sendable {
    /// Patches of one image that a thread takes at a time.
    private static var shardSize: Int { 8 }

    private let network: PatchNetwork<Element>
    private let cut: PatchCut
    private let store: ParameterStore
    private let pool: ThreadPool
    private let workspace: Workspace
    private let buffers: PatchNetwork<Element>.Buffers
    private let classes: Int

    /// Plans for patches of `settings`, of which at most `patches` belong to an image.
    init(
        _ settings: GlimpseSettings, cut: PatchCut, store: ParameterStore, pool: ThreadPool,
        patches: Int
    ) {
        network = PatchNetwork<Element>.make(settings).network
        (self.cut, self.store, self.pool, classes) = (cut, store, pool, settings.classes)
        let shards = 2 * pool.threadCount
        workspace = Workspace(
            imageCapacity: shards * min(patches, Self.shardSize), shardCapacity: shards,
            keepsActivations: false)
        workspace.needScratch(cut.scratchCount)
        buffers = network.plan(imageSize: cut.size, in: workspace)
        workspace.commit(threadCount: pool.threadCount)
    }

    /// Bytes of activations and scratch.
    var byteCount: Int { workspace.byteCount }

    /// The logits of patches, `[N][P][c]`.
    ///
    /// - Parameters:
    ///   - images: Standardised, `[N, S, S, 3]`.
    ///   - patches: Of each image, `[N][P]`.
    func callAsFunction(_ images: [Float], patches: [[Window]]) throws -> [[[Float]]] {
        let pieces = patches.indices.flatMap { image in
            stride(from: 0, to: patches[image].count, by: Self.shardSize).map {
                (image, $0..<min($0 + Self.shardSize, patches[image].count))
            }
        }
        var logits = patches.map { $0.map { _ in [Float]() } }
        var first = 0
        while first < pieces.count {
            let part = Array(pieces[first..<min(pieces.count, first + workspace.shardCapacity)])
            var end = 0
            let shards = part.map { _, range in
                end += range.count
                return (end - range.count)..<end
            }
            let rows = part.flatMap { image, range in range.map { (image, $0) } }
            let pass = Pass(
                pool: pool, reducer: NoRanks(), store: store, workspace: workspace,
                shards: shards, globalImageCount: end)
            cut.fill(buffers.images, images, pass: pass) { row in
                (rows[row].0, patches[rows[row].0][rows[row].1])
            }
            try network.forward(buffers, mode: .inference, pass: pass)
            let values = Activation(final: buffers.logits).values(imageCount: end)
            for (row, place) in rows.enumerated() {
                logits[place.0][place.1] = Array(values[(row * classes)..<((row + 1) * classes)])
            }
            first += part.count
        }
        return logits
    }
}

extension PatchCut {
    /// Fills the rows of a network's input with patches.
    ///
    /// - Parameters:
    ///   - images: `[N, S, S, 3]`.
    ///   - patch: The image and place of each row.
    func fill<Element: StorageElement>(
        _ target: Tensor<Element>, _ images: [Float], pass: Pass,
        patch: (_ row: Int) -> (image: Int, window: Window)
    ) {
        let (pixels, count) = (imageSize * imageSize * 3, size * size * 3)
        images.withUnsafeBufferPointer { images in
            guard let base = images.baseAddress else { return }
            pass.forEachShard { _, rows, scratch in
                for row in rows {
                    let (image, window) = patch(row)
                    precondition((image + 1) * pixels <= images.count, "no image \(image)")
                    RowKernels.store(
                        self(base + image * pixels, at: window, scratch: scratch), count: count,
                        into: target.pointer + row * count)
                }
            }
        }
    }
}
