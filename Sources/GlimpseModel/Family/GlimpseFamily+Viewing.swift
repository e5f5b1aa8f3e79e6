import Layers
import Models
import Tensors

extension GlimpseFamily {
    public static func policies(after stage: Stage) -> [Policy] { Policy.allCases }

    public func policies(after stage: Stage) -> [Policy] {
        guard let locator = settings.locator?.model,
            let last = type(of: locator).stages.last?.stage
        else { return [] }
        return locator.policies(after: last)
    }

    public static func scoredPolicy(_ stage: Stage) -> Policy? { .learned }

    public static func trainedGlimpses(
        _ settings: (Stage) -> (any StageSettings)?, after stage: Stage
    ) -> Int {
        let own = settings(stage) as? GlimpseStageSettings
        return (own ?? GlimpseStageSettings()).glimpses
    }

    public var glimpseLimit: Int { settings.locator?.model.glimpseLimit ?? 1 }

    public func viewer(_ plan: ViewPlan) throws -> any Viewer {
        let (locator, places) = try requireLocator()
        switch plan.precision {
        case .float32:
            return try GlimpseViewer<Float>(
                settings, locator: locator, places: places, plan: plan)
        case .bfloat16:
            return try GlimpseViewer<BFloat16>(
                settings, locator: locator, places: places, plan: plan)
        }
    }

    public func inferenceTrace(
        _ images: [Float], imageCount: Int, settings: (Stage) -> (any StageSettings)?,
        store: ParameterStore, pool: ThreadPool
    ) throws -> [TracedArray] {
        try inferenceTrace(
            TracedBatch(images: images, imageCount: imageCount), settings: settings,
            store: store, pool: pool)
    }

    public func inferenceTrace(
        _ batch: TracedBatch, settings: (Stage) -> (any StageSettings)?, store: ParameterStore,
        pool: ThreadPool
    ) throws -> [TracedArray] {
        let count = batch.imageCount
        guard let locator = self.settings.locator?.model, let places else {
            let cut = PatchCut(wholeImage: self.settings, imageSize: imageSize)
            let whole = Window(rows: 0..<cut.side, columns: 0..<cut.side)
            return try networkTrace(
                batch, cut, patches: Array(repeating: whole, count: count), glimpses: 1,
                store: store, pool: pool)
        }
        let glimpses = Self.trainedGlimpses(settings, after: .glimpse)
        var found: [(location: Int, patch: Window)] = []
        if let locations = batch.locations {
            found = locations.compactMap { location in
                places.locations.window(of: Int(location)).map {
                    (Int(location), places.patch(of: $0))
                }
            }
        } else {
            let viewer = try locator.viewer(
                ViewPlan(
                    store: store, pool: pool, imageCapacity: count, shardSize: 1,
                    glimpses: glimpses, policies: [.learned: 1], seed: 0))
            let views = try viewer(
                ViewedImages(
                    standardized: batch.images,
                    pixels: [[Float]](repeating: [], count: count),
                    identifiers: Array(0..<count)), wantsMap: false)
            found = views.flatMap { view in
                (view.sequences[.learned]?.first).map { look in
                    zip(look.places, look.windows.map(places.patch)).map { ($0, $1) }
                } ?? []
            }
        }
        let corners = found.flatMap {
            [Int32($0.patch.rows.lowerBound), Int32($0.patch.columns.lowerBound)]
        }
        return [
            TracedArray(
                "glimpse/locations", [count, glimpses], .integers(found.map { Int32($0.location) })
            ),
            TracedArray("glimpse/corner", [count, glimpses, 2], .integers(corners)),
        ]
            + (try networkTrace(
                batch, PatchCut(self.settings, places), patches: found.map(\.patch),
                glimpses: glimpses, store: store, pool: pool))
    }

    /// The patches, everything that the network makes of them, and the prediction.
    private func networkTrace(
        _ batch: TracedBatch, _ cut: PatchCut, patches: [Window], glimpses: Int,
        store: ParameterStore, pool: ThreadPool
    ) throws -> [TracedArray] {
        let network = PatchNetwork<Float>.make(settings).network
        let (count, rows) = (batch.imageCount, patches.count)
        let workspace = Workspace(
            imageCapacity: rows, shardCapacity: rows, keepsActivations: false)
        workspace.needScratch(cut.scratchCount)
        let buffers = network.plan(imageSize: cut.size, in: workspace)
        workspace.commit(threadCount: pool.threadCount)
        let pass = Pass(
            pool: pool, reducer: NoRanks(), store: store, workspace: workspace,
            shards: (0..<rows).map { $0..<($0 + 1) }, globalImageCount: rows)
        cut.fill(
            buffers.images, batch.patchImages.isEmpty ? batch.images : batch.patchImages,
            pass: pass
        ) { ($0 / glimpses, patches[$0]) }
        let values = Activation(final: buffers.images).values(imageCount: rows)
        var arrays = [
            TracedArray(
                "glimpse/patches", [count, glimpses, cut.size, cut.size, 3], .floats(values))
        ]
        try network.forward(buffers, mode: .inference, pass: pass) { name, parts in
            arrays.append(TracedArray(name, parts, images: count, glimpses: glimpses))
        }
        let logits = Activation(final: buffers.logits).values(imageCount: rows)
        let predictions = (0..<count).flatMap { image in
            AveragedLogits.prefixes(
                logits, classes: classes,
                locations: Array((image * glimpses)..<((image + 1) * glimpses))
            ).last ?? []
        }
        return arrays + [
            TracedArray("prediction", [count, classes], .floats(predictions))
        ]
    }

    public var attackProblem: String? {
        "holds a classifier on glimpses; attacks follow gradients through the Saccader's logits "
            + "alone"
    }

    public func pixelGradient(
        store: ParameterStore, pool: ThreadPool, glimpses: Int
    ) -> (any PixelGradient)? { nil }
}
