import Layers
import Models
import Tensors

/// A model that looks at images and is not trained: batch norm in inference mode, in a workspace
/// whose buffers share memory.
public final class Inference<Element: StorageElement>: Sendable {
    /// The dimensions of the model.
    public let geometry: Geometry
    private let model: Saccader<Element>
    private let store: ParameterStore
    private let pool: ThreadPool
    private let workspace: Workspace
    private let representation: RepresentationNetwork<Element>.Buffers
    private let location: Saccader<Element>.LocationBuffers?
    private let runner: CellRunner<Element>?
    /// Where attention is soft, with the logits that each glimpse came to, `[N, T, c]`.
    private let soft: (attention: SoftAttention, logits: Tensor<Float>)?
    private let shardSize: Int

    /// Plans for batches of at most `imageCapacity` images.
    ///
    /// - Parameters:
    ///   - shardSize: Images that one thread takes at a time.
    ///   - glimpses: How far the learned policy is followed; 0 leaves the attention and the cell
    ///     out (a model that has only been through the first stage).
    public init(
        _ model: Saccader<Element>, store: ParameterStore, pool: ThreadPool, imageSize: Int,
        imageCapacity: Int, shardSize: Int, glimpses: Int
    ) throws {
        self.model = model
        self.store = store
        self.pool = pool
        self.shardSize = shardSize
        geometry = Geometry(model.configuration.representation, imageSize: imageSize)
        workspace = Workspace(
            imageCapacity: imageCapacity,
            shardCapacity: (imageCapacity + shardSize - 1) / shardSize, keepsActivations: false,
            foldsNorms: true)
        representation = model.representation.plan(imageSize: imageSize, in: workspace)
        if glimpses > 0 {
            let buffers = model.planLocation(representation, in: workspace)
            location = buffers
            runner = CellRunner(
                model.cell, features: buffers.features, glimpses: glimpses, samples: 1,
                in: workspace)
            let (places, classes) = (geometry.locationCount, model.configuration.classes)
            workspace.needScratch(places * classes)
            soft =
                model.configuration.cell.soft
                ? (
                    SoftAttention(glimpses: glimpses, locations: places, in: workspace),
                    Tensor(
                        Shape(workspace.imageCapacity, glimpses, 1, classes), in: workspace.arena)
                ) : nil
        } else {
            (location, runner, soft) = (nil, nil, nil)
        }
        workspace.commit(threadCount: pool.threadCount)
        if !store.isPlan { try readParameters() }
    }

    /// Bytes that a call takes: the plan, and the logits of all locations, which are handed out.
    public var byteCount: Int {
        let logits = geometry.locationCount * model.configuration.classes
        return workspace.byteCount + 2 * MemoryLayout<Float>.stride * workspace.imageCapacity
            * logits
    }

    /// Folds the norms into the kernels as the store has them now: at the start, and again whenever
    /// the store has changed.
    public func readParameters() throws {
        let pass = Pass(reading: store, into: workspace, pool: pool)
        try model.representation.fold(representation, pass: pass)
        if let location { try model.attention?.fold(location.attention, pass: pass) }
    }

    /// What the model made of one image.
    public struct Output: Sendable {
        /// `[P, c]`.
        public let logits: [Float]
        /// The learned policy's places, `[T]`; empty where it was left out.
        public let learned: [Int]
        /// The learned policy R̃ of eq. 3 at each glimpse, `[T, P]`; empty unless asked for.
        public var policy: [Float] = []
        /// With soft attention the averaged logits after 1, 2, … T glimpses, `[T][c]`; else empty.
        public var soft: [[Float]] = []

        /// The averaged logits after 1, 2, … glimpses of a policy that goes to `locations`.
        public func averages(
            _ policy: Policy, _ locations: [Int], classes: Int
        ) -> [[Float]] {
            if policy.isLearned && !soft.isEmpty { return Array(soft.prefix(locations.count)) }
            return AveragedLogits.prefixes(logits, classes: classes, locations: locations)
        }
    }

    /// Looks at `imageCount` images, `[N, H, W, 3]`.
    ///
    /// - Parameter wantsPolicy: Whether the outputs tell R̃.
    public func callAsFunction(
        _ images: [Float], imageCount: Int, wantsPolicy: Bool = false
    ) throws -> [Output] {
        let shards = stride(from: 0, to: imageCount, by: shardSize).map {
            $0..<min(imageCount, $0 + shardSize)
        }
        let pass = Pass(
            pool: pool, reducer: NoRanks(), store: store, workspace: workspace, shards: shards,
            globalImageCount: imageCount)
        representation.images.load(images, pass: pass)
        try model.representation.forward(representation, mode: .inference, pass: pass)
        let locations = geometry.locationCount
        if let location, let runner {
            try model.forwardLocation(location, mode: .inference, pass: pass)
            pass.forEachShard { _, images, scratch in
                for image in images {
                    runner.run(image, store: store, scratch: scratch) { _, _, logits in
                        Softmax.argmax(logits, count: locations)
                    }
                    if let soft {
                        soft.attention.average(
                            image, policy: runner.buffers.logits(image, 0),
                            logits: representation.logits(image, scratch: scratch),
                            classes: model.configuration.classes,
                            into: soft.logits.row(image * runner.buffers.glimpses))
                    }
                }
            }
        }
        let logits = Activation(final: representation.logits).values(imageCount: imageCount)
        let count = locations * model.configuration.classes
        return (0..<imageCount).map { image in
            let places = runner.map { runner in
                UnsafeBufferPointer(
                    start: runner.buffers.locations(image, 0), count: runner.buffers.glimpses
                ).map { Int($0) }
            }
            var output = Output(
                logits: Array(logits[(image * count)..<((image + 1) * count)]),
                learned: places ?? [])
            if wantsPolicy { output.policy = policy(ofImage: image) }
            output.soft = softAverages(ofImage: image)
            return output
        }
    }

    /// R̃ of an image of the last batch, `[T, P]`.
    private func policy(ofImage image: Int) -> [Float] {
        guard let runner else { return [] }
        let (glimpses, locations) = (runner.buffers.glimpses, geometry.locationCount)
        var values = Array(
            UnsafeBufferPointer(
                start: runner.buffers.logits(image, 0), count: glimpses * locations))
        values.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            for t in 0..<glimpses { Softmax.apply(start + t * locations, count: locations) }
        }
        return values
    }

    /// With soft attention the averaged logits of an image after 1, 2, … T glimpses.
    private func softAverages(ofImage image: Int) -> [[Float]] {
        guard let soft, let runner else { return [] }
        let (glimpses, classes) = (runner.buffers.glimpses, model.configuration.classes)
        let rows = UnsafeBufferPointer(
            start: soft.logits.row(image * glimpses), count: glimpses * classes)
        return AveragedLogits.prefixes(
            Array(rows), classes: classes, locations: Array(0..<glimpses))
    }

    /// Every named activation of the last images, for `trace`.
    public func trace(imageCount: Int) -> [TracedArray] {
        representation.trace(imageCount: imageCount)
            + (location?.trace(imageCount: imageCount) ?? [])
            + (runner?.trace(imageCount: imageCount, withSamples: false) ?? [])
    }
}
