import Layers
import Models
import Tensors

/// A DRAM that looks at images and is not trained: batch norm in inference mode.
///
/// The memory is that of one step: any number of glimpses can follow each other.
public final class DRAMInference<Element: StorageElement>: Sendable {
    /// The windows.
    public let geometry: GlimpseGeometry
    let model: DRAM<Element>
    private let store: ParameterStore
    private let pool: ThreadPool
    private let workspace: Workspace
    /// Two steps with states of their own, which take turns: each reads the other's.
    private let steps: [DRAM<Element>.Step]
    private let shardSize: Int
    /// Where the weights lie packed, for all steps of all calls.
    private let packed: Tensor<UInt8>

    /// Plans for batches of at most `imageCapacity` images.
    ///
    /// - Parameter shardSize: Images that one thread takes at a time.
    public init(
        _ model: DRAM<Element>, store: ParameterStore, pool: ThreadPool, imageCapacity: Int,
        shardSize: Int
    ) {
        (self.model, self.store, self.pool) = (model, store, pool)
        self.shardSize = shardSize
        geometry = model.geometry
        let workspace = Workspace(
            imageCapacity: imageCapacity,
            shardCapacity: (imageCapacity + shardSize - 1) / shardSize, keepsActivations: false,
            joinsChunks: true)
        // These first: what the glimpse network gives back must not be theirs.
        packed = Tensor(vector: Self.packedByteCount(model), in: workspace.arena)
        let states = (0..<2).map { _ in
            model.planState(classifies: true, choosesPlace: true, in: workspace)
        }
        let glimpse = model.planGlimpse(model.planWindow(in: workspace), in: workspace)
        steps = states.map { DRAM.Step(glimpse: glimpse, state: $0) }
        workspace.commit(threadCount: pool.threadCount)
        self.workspace = workspace
        if !store.isPlan { readParameters() }
    }

    /// Bytes for all packed weights, whose blocks are rounded up; OpenBLAS takes them as they are.
    private static func packedByteCount(_ model: DRAM<Element>) -> Int {
        guard MatrixMultiply.copiesWeights else { return 0 }
        return model.layout.trainableCount * MemoryLayout<Element>.stride / 16 * 17
    }

    /// Forgets the weights as they were packed: needed whenever the store has changed.
    public func readParameters() {
        workspace.allocate()
        workspace.keptWeights.start(
            in: UnsafeMutableRawBufferPointer(
                start: packed.pointer, count: packed.shape.channels))
    }

    /// Bytes that a call takes.
    public var byteCount: Int { workspace.byteCount }

    /// The most images of one call.
    public var imageCapacity: Int { workspace.imageCapacity }

    /// Which places the glimpses go to.
    public enum Policy: Sendable {
        /// The means that the model emits.
        case learned
        /// Uniform in ±s; repeats are allowed.
        case random(seed: UInt64, draw: Int, identifiers: [Int])
        /// The middle each time.
        case center
        /// Given, (y, x), `[N][T]`.
        case given([[Place]])
    }

    /// What the model made of one image.
    public struct Output: Sendable {
        /// Where it looked, `[T]`.
        public let places: [Place]
        /// Where the finest windows begin, `[T]`.
        public let corners: [GlimpseGeometry.Corner]
        /// The logits after each glimpse, `[T][c]`.
        public let logits: [[Float]]

        /// The logits that predict after 1, 2, … T glimpses, `[T][c]`.
        public func predictions(_ prediction: GlimpsePrediction) -> [[Float]] {
            guard prediction == .mean else { return logits }
            var sum = [Float](repeating: 0, count: logits.first?.count ?? 0)
            return logits.enumerated().map { glimpse, values in
                for index in sum.indices { sum[index] += values[index] }
                return sum.map { $0 / Float(glimpse + 1) }
            }
        }
    }

    /// Looks at `imageCount` images, `[N, H, W, 3]`.
    ///
    /// - Parameter glimpses: T, which may be more than in training.
    public func callAsFunction(
        _ images: [Float], imageCount: Int, glimpses: Int, policy: Policy = .learned
    ) throws -> [Output] {
        var logits = [[[Float]]](repeating: [], count: imageCount)
        var places = [[Place]](repeating: [], count: imageCount)
        try run(images, imageCount: imageCount, glimpses: glimpses, policy: policy) {
            step, glimpse, looks in
            guard glimpse >= 0, let values = step.state.logits else { return }
            for (image, row) in values.rows(imageCount: imageCount).enumerated() {
                logits[image].append(row)
                places[image].append(looks[image])
            }
        }
        return (0..<imageCount).map { image in
            Output(
                places: places[image], corners: places[image].map { geometry.corner(of: $0) },
                logits: logits[image])
        }
    }

    /// Runs the context, where the policy needs one, and all glimpses.
    ///
    /// - Parameter visit: Takes each finished step, its glimpse (−1: the context) and the places
    ///   of all images.
    func run(
        _ images: [Float], imageCount: Int, glimpses: Int, policy: Policy,
        visit: (DRAM<Element>.Step, _ glimpse: Int, [Place]) -> Void
    ) throws {
        let shards = stride(from: 0, to: imageCount, by: shardSize).map {
            $0..<min(imageCount, $0 + shardSize)
        }
        let pass = Pass(
            pool: pool, reducer: NoRanks(), store: store, workspace: workspace, shards: shards,
            globalImageCount: imageCount)
        var followsMeans = false
        if case .learned = policy { followsMeans = true }
        let planned = planned(policy, imageCount: imageCount, glimpses: glimpses)
        let sizes = model.configuration.dram
        var means = [Place](repeating: .center, count: imageCount)
        for glimpse in (followsMeans ? -1 : 0)..<glimpses {
            let step = steps[(glimpse + 2) % 2]
            let previous = steps[(glimpse + 1) % 2]
            let places = followsMeans ? means : planned.map { $0[glimpse] }
            try model.forward(
                step, images: images, samples: 1,
                input: .init(
                    place: { places[$0] },
                    resolutions: glimpse < 0
                        ? sizes.resolutions : sizes.classificationResolutions,
                    classification: glimpse > 0 ? previous.state.classification : nil,
                    location: glimpse >= 0 ? previous.state.location : nil),
                choosesPlace: followsMeans, mode: .inference, pass: pass)
            visit(step, glimpse, places)
            if followsMeans, let mean = step.state.mean {
                means = (0..<imageCount).map { Place(mean.row($0)) }
            }
        }
    }

    /// The places of a policy that does not look at what the model says, `[N][T]`.
    private func planned(_ policy: Policy, imageCount: Int, glimpses: Int) -> [[Place]] {
        switch policy {
        case .learned: return []
        case .given(let places): return places
        case .center:
            return Array(
                repeating: Array(repeating: .center, count: glimpses), count: imageCount)
        case .random(let seed, let draw, let identifiers):
            let limit = Double(geometry.limit)
            return identifiers.map { identifier in
                var random = CounterRandom(
                    seed: seed, purpose: .randomPolicy, stream: UInt64(draw),
                    index: UInt64(identifier))
                return (0..<glimpses).map { _ in
                    let y = limit * (2 * random.uniform() - 1)
                    return Place(y: Float(y), x: Float(limit * (2 * random.uniform() - 1)))
                }
            }
        }
    }
}

extension Tensor where Element: StorageElement {
    /// The rows of `[N, 1, 1, C]`, each with its own array.
    func rows(imageCount: Int) -> [[Float]] {
        let values = Activation(final: self).values(imageCount: imageCount)
        return (0..<imageCount).map {
            Array(values[($0 * shape.channels)..<(($0 + 1) * shape.channels)])
        }
    }
}
