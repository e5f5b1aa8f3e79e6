import Layers
import Models
import Tensors

/// The places of a step's patches: those of the frozen model's learned policy, or given ones.
struct TrainingPlaces: Sendable {
    private let places: PatchPlaces
    private let viewer: any Viewer
    private let jitter: Int
    private let randomPart: Double
    private let glimpses: Int
    /// The first row and column of each patch, `[B, T, 2]`.
    private let corners: Tensor<Int32>
    /// Where the frozen model looked, `[B, T]`.
    private let locations: Tensor<Int32>

    /// Plans the frozen model for a step's images, with the step's shards.
    init(
        _ places: PatchPlaces, locator: any ModelFamily, settings: GlimpseConfiguration,
        stage: GlimpseStageSettings, plan: StepPlan, in workspace: Workspace
    ) throws {
        self.places = places
        (jitter, randomPart, glimpses) = (
            settings.jitter, settings.randomPlaces, stage.glimpses
        )
        viewer = try locator.viewer(
            ViewPlan(
                precision: plan.precision, store: plan.store, pool: plan.pool,
                imageCapacity: plan.imageCapacity, shardSize: stage.shardSize,
                glimpses: stage.glimpses, policies: [.learned: 1], seed: 0))
        let count = plan.imageCapacity * stage.glimpses
        corners = Tensor(vector: 2 * count, in: workspace.arena)
        locations = Tensor(vector: count, in: workspace.arena)
    }

    /// Bytes of the frozen model's pass.
    var byteCount: Int { viewer.byteCount }

    /// Chooses the places of a batch.
    func choose(_ batch: TrainingBatch, imageCount: Int) throws {
        if case .fixed(let given) = batch.glimpses {
            for row in 0..<(imageCount * glimpses) {
                guard let window = places.locations.window(of: Int(given[row])) else {
                    preconditionFailure("places are given where there is a grid alone")
                }
                set(row, location: Int(given[row]), patch: places.patch(of: window))
            }
            return
        }
        guard case .sampled(let seed, let stream, let identifiers) = batch.glimpses else {
            preconditionFailure("patches lie at locations")
        }
        let views = try viewer(
            ViewedImages(
                standardized: batch.images,
                pixels: [[Float]](repeating: [], count: imageCount), identifiers: identifiers),
            wantsMap: false)
        for (image, view) in views.enumerated() {
            guard let look = view.sequences[.learned]?.first else { continue }
            for t in 0..<glimpses {
                let key = UInt64(identifiers[image] * glimpses + t)
                var random = CounterRandom(
                    seed: seed, purpose: .jitter, stream: stream, index: key)
                let isRandom = random.uniform() < randomPart
                let window = isRandom ? randomWindow(&random) : look.windows[t]
                set(
                    image * glimpses + t, location: look.places[t],
                    patch: moved(places.patch(of: window), &random))
            }
        }
    }

    /// What a location anywhere sees, each as likely.
    private func randomWindow(_ random: inout CounterRandom) -> Window {
        let grid = places.locations
        if let count = grid.locationCount,
            let window = grid.window(of: Int(random.uniform() * Double(count)))
        {
            return window
        }
        let span = Double(places.locatorSize - grid.field + 1)
        let (top, left) = (Int(random.uniform() * span), Int(random.uniform() * span))
        return Window(rows: top..<(top + grid.field), columns: left..<(left + grid.field))
    }

    private func moved(_ patch: Window, _ random: inout CounterRandom) -> Window {
        if jitter == 0 { return patch }
        let last = places.imageSize - places.side
        func move(_ start: Int) -> Int {
            let distance = Int(random.uniform() * Double(2 * jitter + 1)) - jitter
            return min(max(start + distance, 0), last)
        }
        let (top, left) = (move(patch.rows.lowerBound), move(patch.columns.lowerBound))
        return Window(
            rows: top..<(top + places.side), columns: left..<(left + places.side))
    }

    private func set(_ row: Int, location: Int, patch: Window) {
        locations.pointer[row] = Int32(location)
        corners.pointer[2 * row] = Int32(patch.rows.lowerBound)
        corners.pointer[2 * row + 1] = Int32(patch.columns.lowerBound)
    }

    /// The patch of a row of the network's batch.
    func window(ofRow row: Int) -> Window {
        let (top, left) = (Int(corners.pointer[2 * row]), Int(corners.pointer[2 * row + 1]))
        return Window(
            rows: top..<(top + places.side), columns: left..<(left + places.side))
    }

    /// Where the patches were.
    func trace(imageCount: Int) -> [TracedArray] {
        let count = imageCount * glimpses
        return [
            TracedArray(
                "glimpse/locations", [imageCount, glimpses],
                .integers(locations.elements(count))),
            TracedArray(
                "glimpse/corner", [imageCount, glimpses, 2],
                .integers(corners.elements(2 * count))),
        ]
    }
}
