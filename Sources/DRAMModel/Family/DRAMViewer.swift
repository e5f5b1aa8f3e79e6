import Layers
import Models
import Tensors

/// The DRAM's glimpses, policy by policy: each goes its own way through the network.
final class DRAMViewer<Element: StorageElement>: Viewer {
    /// Cells along a side, into which places are sorted for counts of visits.
    private static var cells: Int { 11 }

    private let inference: DRAMInference<Element>
    private let plan: ViewPlan

    init(_ model: DRAM<Element>, _ plan: ViewPlan) {
        self.plan = plan
        inference = DRAMInference(
            model, store: plan.store, pool: plan.pool, imageCapacity: plan.imageCapacity,
            shardSize: plan.shardSize)
    }

    var placeCount: Int { Self.cells * Self.cells }

    var byteCount: Int { inference.byteCount }

    func readParameters() { inference.readParameters() }

    func callAsFunction(_ images: ViewedImages, wantsMap: Bool) throws -> [ModelOutput] {
        let count = images.identifiers.count
        var views = [ModelOutput](repeating: ModelOutput(), count: count)
        for (policy, draws) in plan.policies {
            for draw in 0..<draws {
                let seen = try inference(
                    images.standardized, imageCount: count, glimpses: plan.glimpses,
                    policy: way(policy, draw: draw, identifiers: images.identifiers))
                for (image, seen) in seen.enumerated() {
                    views[image].sequences[policy, default: []].append(sequence(seen, policy))
                }
            }
        }
        return views
    }

    private func way(
        _ policy: Policy, draw: Int, identifiers: [Int]
    ) -> DRAMInference<Element>.Policy {
        switch policy {
        case .learned: .learned
        case .random: .random(seed: plan.seed, draw: draw, identifiers: identifiers)
        case .center: .center
        case .orderedLogits, .sobelMean, .sobelVariance:
            preconditionFailure("the DRAM has no places for the policy \(policy.rawValue)")
        }
    }

    private func sequence(_ seen: DRAMInference<Element>.Output, _ policy: Policy)
        -> GlimpseSequence
    {
        let side = inference.geometry.glimpseSize
        var sequence = GlimpseSequence(
            windows: seen.corners.map { window($0, side: side, scale: 1) },
            places: seen.places.map(cell),
            predictions: seen.predictions(inference.model.configuration.dram.prediction))
        sequence.showsPath = policy != .center
        if policy.isLearned {
            sequence.context = inference.geometry.sides.indices.dropFirst().map { resolution in
                let side = inference.geometry.sides[resolution]
                return window(
                    inference.geometry.corner(of: .center, resolution: resolution), side: side,
                    scale: Double(side) / Double(inference.geometry.glimpseSize))
            }
        }
        return sequence
    }

    private func window(
        _ corner: GlimpseGeometry.Corner, side: Int, scale: Double
    ) -> Window {
        Window(
            rows: corner.row..<(corner.row + side), columns: corner.column..<(corner.column + side),
            scale: scale)
    }

    /// The cell of a place, row by row over all places that a glimpse can go to.
    private func cell(_ place: Place) -> Int {
        let limit = inference.geometry.limit
        func index(_ coordinate: Float) -> Int {
            guard limit > 0, coordinate.isFinite else { return 0 }
            let part = (coordinate / limit + 1) / 2 * Float(Self.cells)
            return min(Self.cells - 1, max(0, Int(part)))
        }
        return index(place.y) * Self.cells + index(place.x)
    }
}
