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

    func callAsFunction(_ images: ViewedImages, wantsMap: Bool) throws -> [ModelOutput] {
        let count = images.identifiers.count
        let outputs = try inference(
            images.standardized, imageCount: count, wantsPolicy: wantsMap)
        var views = [ModelOutput](repeating: ModelOutput(), count: count)
        views.withUnsafeMutableBufferPointer { views in
            plan.pool.run(count) { image, _ in
                views[image] = view(outputs[image], image, of: images)
            }
        }
        return views
    }

    private func view(
        _ output: Inference<Element>.Output, _ image: Int, of images: ViewedImages
    ) -> ModelOutput {
        var view = ModelOutput(whole: AveragedLogits.mean(output.logits, classes: classes))
        for (policy, draws) in plan.policies {
            view.sequences[policy] = (0..<draws).map { draw in
                let locations = policy.locations(
                    output, image: images.pixels[image], imageSize: imageSize,
                    geometry: inference.geometry, classes: classes, most: plan.glimpses,
                    seed: plan.seed, identifier: images.identifiers[image], draw: draw)
                var sequence = GlimpseSequence(
                    windows: locations.map { windows[$0] }, places: locations,
                    predictions: output.averages(policy, locations, classes: classes))
                // Soft attention's locations are the most attended ones.
                if policy.isLearned && !output.soft.isEmpty {
                    sequence.pixelsOfEachGlimpse = allPixels
                }
                return sequence
            }
        }
        if !output.policy.isEmpty {
            view.map = PolicyMap(
                values: output.policy, windows: windows, stride: inference.geometry.stride)
        }
        return view
    }
}
