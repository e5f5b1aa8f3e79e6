import Tensors

/// The memory of one kind of step: activations and gradients in an arena, and each thread's scratch.
///
/// Layers plan their buffers here in the order of use; `commit` lays everything out, and the first
/// pass takes the memory. What a plan needs is known before.
public final class Workspace: @unchecked Sendable {
    /// Where the layers reserve their tensors.
    public let arena = Arena()
    /// The most images that a step can have on this rank.
    public let imageCapacity: Int
    /// The most shards that a step can have on this rank.
    public let shardCapacity: Int
    /// Whether what is planned now is kept for a backward pass; a frozen part's is not.
    public var keepsActivations: Bool
    /// Whether the backward pass computes again what takes much memory and little time; nil: where
    /// it is much.
    public let sparesMemory: Bool?
    /// Whether batch norms of what is planned now are folded into the convolutions before them: for
    /// what is not trained, with `FoldedKernel`s that are filled before the layers run.
    public var foldsNorms: Bool
    /// Rows of a chunk: what a thread works on before it moves on. Few enough for the caches, and
    /// enough for an image's 19×19 locations, whose kernel gradient is then one product that adds to
    /// nothing (measured against 256: 1 % of a step).
    public let chunkRows: Int
    /// Whether a chunk takes the rows of several images and uses where one has few: fewer and
    /// larger products, with other bits.
    public let joinsChunks: Bool
    /// Packed weights that outlast a layer's run, while memory is lent to them.
    public let keptWeights = KeptWeights()

    /// Scratch is in use whenever a layer runs, and folded kernels outlast the passes: they never
    /// share the plan's places.
    let lastingArena = Arena()
    private var scratchCount = 0
    private var partialCount = 0
    private var packedByteCount = 0
    private var packedTensor: Tensor<UInt8>?
    private var scratches: [Tensor<Float>] = []
    private var partialTensor: Tensor<Float>?
    private(set) var partialPlan = PartialPlan(shardCapacity: 0, threadCount: 1)

    /// Starts a plan.
    public init(
        imageCapacity: Int, shardCapacity: Int, keepsActivations: Bool,
        sparesMemory: Bool? = nil, foldsNorms: Bool = false, joinsChunks: Bool = false,
        chunkRows: Int = 384
    ) {
        precondition(!(foldsNorms && keepsActivations), "a folded norm has no backward pass")
        self.sparesMemory = sparesMemory
        self.foldsNorms = foldsNorms
        self.imageCapacity = imageCapacity
        self.shardCapacity = shardCapacity
        self.keepsActivations = keepsActivations
        self.chunkRows = chunkRows
        self.joinsChunks = joinsChunks
    }

    /// Rows of a chunk of a layer whose widest matrix has `columns`: more where they are few, so
    /// that a product is worth its call.
    func chunkRows(columns: Int) -> Int {
        max(chunkRows, min(3 * chunkRows, 64 * chunkRows / max(1, columns)))
    }

    /// Asks for scratch memory per thread, in floats; the largest request counts.
    public func needScratch(_ count: Int) { scratchCount = max(scratchCount, count) }

    /// Asks for partial weight gradients of the shards, in floats; the largest request counts.
    public func needPartials(_ count: Int) { partialCount = max(partialCount, count) }

    /// Asks for room for one layer's packed weights, in bytes; the largest request counts.
    func needPacked(_ byteCount: Int) { packedByteCount = max(packedByteCount, byteCount) }

    /// Lays out all that was planned.
    public func commit(threadCount: Int) {
        scratches = (0..<threadCount).map { _ in Tensor(vector: scratchCount, in: lastingArena) }
        packedTensor = Tensor(vector: packedByteCount, in: lastingArena)
        partialPlan = PartialPlan(shardCapacity: shardCapacity, threadCount: threadCount)
        partialTensor = Tensor(
            vector: partialCount * partialPlan.placeCount, in: lastingArena)
        arena.close()
        lastingArena.close()
    }

    /// Takes the memory, unless it is there.
    public func allocate() {
        arena.allocate()
        lastingArena.allocate()
    }

    /// The planned memory, in bytes.
    public var byteCount: Int { arena.byteCount + lastingArena.byteCount }

    func scratch(of worker: Int) -> UnsafeMutablePointer<Float> { scratches[worker].pointer }

    /// Room for the packed weights of the layer that runs, and whether they are there already.
    func packed(
        _ parameter: Parameter, transposed: Bool, byteCount: Int
    ) -> (storage: UnsafeMutableRawPointer, isFilled: Bool) {
        guard let packedTensor else {
            preconditionFailure("a workspace is committed before its layers run")
        }
        return keptWeights.place(of: parameter, transposed: transposed, byteCount: byteCount)
            ?? (UnsafeMutableRawPointer(packedTensor.pointer), false)
    }

    var partials: UnsafeMutablePointer<Float> {
        guard let partialTensor else {
            preconditionFailure("a workspace is committed before its layers run")
        }
        return partialTensor.pointer
    }
}

/// What every layer needs while it runs: threads, ranks, numbers, memory and the batch's division.
public struct Pass: Sendable {
    /// The rank's threads.
    public let pool: ThreadPool
    /// Sums over ranks.
    public let reducer: any SumReducer
    /// The model's numbers.
    public let store: ParameterStore
    /// The step's memory.
    public let workspace: Workspace
    /// The rank's images of each of its shards, as consecutive ranges from 0.
    public let shards: [Range<Int>]
    /// The images of all ranks together.
    public let globalImageCount: Int
    /// Whether this rank is the one that carries what is already a sum over all ranks.
    public let isFirstRank: Bool
    /// How many rows of each image hold the same values.
    public private(set) var copyCount = 1

    /// Describes a step on the images of `shards`.
    public init(
        pool: ThreadPool, reducer: any SumReducer, store: ParameterStore, workspace: Workspace,
        shards: [Range<Int>], globalImageCount: Int, isFirstRank: Bool = true
    ) {
        self.pool = pool
        self.reducer = reducer
        self.store = store
        self.workspace = workspace
        self.shards = shards
        self.globalImageCount = globalImageCount
        self.isFirstRank = isFirstRank
        precondition(
            shards.count <= workspace.shardCapacity && imageCount <= workspace.imageCapacity,
            "\(imageCount) images in \(shards.count) shards exceed the workspace's plan")
        workspace.allocate()
    }

    /// A pass over the parameters alone, without images.
    public init(reading store: ParameterStore, into workspace: Workspace, pool: ThreadPool) {
        self.init(
            pool: pool, reducer: NoRanks(), store: store, workspace: workspace, shards: [],
            globalImageCount: 0)
    }

    /// The images of this rank.
    public var imageCount: Int { shards.last?.upperBound ?? 0 }

    /// Runs `body(shard, images, scratch)` for each shard, on all threads.
    public func forEachShard(
        _ body: (_ shard: Int, _ images: Range<Int>, _ scratch: UnsafeMutablePointer<Float>) -> Void
    ) {
        pool.run(shards.count) { shard, worker in
            body(shard, shards[shard], workspace.scratch(of: worker))
        }
    }

    /// The same step on `count` rows for each image: row `image·count + sample`.
    ///
    /// - Parameter areCopies: Whether the rows of an image all hold the same.
    public func repeated(_ count: Int, areCopies: Bool = false) -> Pass {
        var pass = Pass(
            pool: pool, reducer: reducer, store: store, workspace: workspace,
            shards: shards.map { ($0.lowerBound * count)..<($0.upperBound * count) },
            globalImageCount: globalImageCount * count, isFirstRank: isFirstRank)
        pass.copyCount = areCopies ? count : 1
        return pass
    }

    /// Says that the gradients of `parameters` are complete on this rank.
    public func complete(_ parameters: [Parameter]) {
        for parameter in parameters { reducer.complete(store.range(parameter)) }
    }

    /// Says the same of parameters that no gradient reaches.
    ///
    /// Such is a bias in front of batch norms: they take a constant away with the batch's mean, so
    /// that what a sum would come to is rounding, by which the bias would wander.
    public func completeWithoutGradient(_ parameters: [Parameter]) {
        for parameter in parameters {
            store.gradient(parameter).update(repeating: 0, count: parameter.count)
        }
        complete(parameters)
    }

    /// Sums one vector per shard along the tree, then over the ranks if `acrossRanks`.
    ///
    /// The sum replaces the first vector of `table`, `[shards, length]`.
    public func sum(_ table: Tensor<Double>, length: Int, acrossRanks: Bool = true) throws {
        try sum([(table, length)], acrossRanks: acrossRanks)
    }

    /// The same for several tables, whose sums go over the ranks together.
    func sum(_ tables: [(table: Tensor<Double>, length: Int)], acrossRanks: Bool) throws {
        for (table, length) in tables {
            TreeSum.sum(table.pointer, count: shards.count, length: length, over: pool)
        }
        guard acrossRanks, let first = tables.first else { return }
        if tables.count == 1 {
            return try reducer.sum(
                UnsafeMutableBufferPointer(start: first.table.pointer, count: first.length))
        }
        var sums = tables.flatMap { $0.table.elements($0.length) }
        try sums.withUnsafeMutableBufferPointer { try reducer.sum($0) }
        var start = 0
        for (table, length) in tables {
            for index in 0..<length { table.pointer[index] = sums[start + index] }
            start += length
        }
    }
}
