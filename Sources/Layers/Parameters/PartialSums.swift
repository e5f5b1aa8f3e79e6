import Tensors

/// How the shards' parts of a weight gradient are summed: runs of shards one after the other, each
/// by one thread and in few places, then the runs' sums.
///
/// Runs are aligned and a power of two long, so that the tree is the same for any division.
struct PartialPlan {
    /// Shards of a run.
    let runLength: Int
    /// Places of each run; the first run's first is the gradient itself.
    let placesPerRun: Int
    /// Places of all runs in the workspace.
    let placeCount: Int

    init(shardCapacity: Int, threadCount: Int) {
        // One thread takes all shards; several share the work evenly when there are more runs.
        let runs = threadCount == 1 ? 1 : 4 * threadCount
        var length = 1
        while length * runs < shardCapacity { length *= 2 }
        runLength = length
        placesPerRun = TreeSum.placeCount(of: length)
        placeCount = max(1, (shardCapacity + length - 1) / length) * placesPerRun - 1
    }
}

extension Pass {
    /// Runs `body` for each shard, on all threads, and leaves the tree sum of what it writes to
    /// `partial` in the gradients of `parameters`.
    ///
    /// - Parameter parameters: Registered one after the other; `partial` holds them in the store's
    ///   order, the last one first.
    public func sumOverShards(
        into parameters: [Parameter],
        _ body: (
            _ shard: Int, _ images: Range<Int>, _ scratch: UnsafeMutablePointer<Float>,
            _ partial: UnsafeMutablePointer<Float>
        ) -> Void
    ) {
        guard let last = parameters.last else { return }
        let length = parameters.reduce(0) { $0 + $1.count }
        let (plan, partials) = (workspace.partialPlan, workspace.partials)
        let gradient = store.gradient(last)
        func place(_ run: Int, _ index: Int) -> UnsafeMutablePointer<Float> {
            let number = run * plan.placesPerRun + index
            return number == 0 ? gradient : partials + (number - 1) * length
        }
        let runCount = (shards.count + plan.runLength - 1) / plan.runLength
        pool.run(runCount) { run, worker in
            let first = run * plan.runLength
            let scratch = workspace.scratch(of: worker)
            TreeSum.sum(
                count: min(plan.runLength, shards.count - first), length: length,
                place: { place(run, $0) },
                fill: { body(first + $0, shards[first + $0], scratch, $1) })
        }
        TreeSum.sum(count: runCount, length: length, over: pool) { place($0, 0) }
        complete(parameters)
    }
}
