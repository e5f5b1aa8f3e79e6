import Layers
import Models
import Tensors

/// The Saccader's glimpses: one pass of the network serves all policies.
final class SaccaderViewer<Element: StorageElement>: Viewer {
    private let inference: Inference<Element>
    private let plan: ViewPlan
    private let imageSize: Int
    private let classes: Int
    /// What each location sees.
    private let windows: [Window]
    /// Pixels in the union of all windows.
    private let allPixels: Int

    init(
        _ model: Saccader<Element>, _ geometry: Geometry, _ imageSize: Int, _ plan: ViewPlan
    ) throws {
        (self.plan, self.imageSize) = (plan, imageSize)
        classes = model.configuration.classes
        inference = try Inference(
            model, store: plan.store, pool: plan.pool, imageSize: imageSize,
            imageCapacity: plan.imageCapacity, shardSize: plan.shardSize,
            glimpses: plan.policies.keys.contains { $0.isLearned } ? plan.glimpses : 0)
        windows = (0..<geometry.locationCount).map { geometry.window(of: $0) }
        allPixels = Coverage.pixels(windows, imageSize: imageSize).last ?? 0
    }

    var placeCount: Int { windows.count }

    var byteCount: Int { inference.byteCount }

    func readParameters() throws { try inference.readParameters() }

    func callAsFunction(_ images: ViewedImages, wantsMap: Bool) throws -> [View] {
        let count = images.identifiers.count
        let sights = try inference(
            images.standardized, imageCount: count, wantsPolicy: wantsMap)
        var views = [View](repeating: View(), count: count)
        views.withUnsafeMutableBufferPointer { views in
            plan.pool.run(count) { image, _ in
                views[image] = view(sights[image], image, of: images)
            }
        }
        return views
    }

    private func view(
        _ sight: Inference<Element>.Sight, _ image: Int, of images: ViewedImages
    ) -> View {
        var view = View(whole: AveragedLogits.mean(sight.logits, classes: classes))
        for (policy, draws) in plan.policies {
            view.looks[policy] = (0..<draws).map { draw in
                let locations = policy.locations(
                    sight, image: images.pixels[image], imageSize: imageSize,
                    geometry: inference.geometry, classes: classes, most: plan.glimpses,
                    seed: plan.seed, identifier: images.identifiers[image], draw: draw)
                var look = Look(
                    windows: locations.map { windows[$0] }, places: locations,
                    predictions: sight.averages(policy, locations, classes: classes))
                // Soft attention's locations are the most attended ones.
                if policy.isLearned && !sight.soft.isEmpty {
                    look.pixelsOfEachGlimpse = allPixels
                }
                return look
            }
        }
        if !sight.policy.isEmpty {
            view.map = PolicyMap(
                values: sight.policy, windows: windows, stride: inference.geometry.stride)
        }
        return view
    }
}
