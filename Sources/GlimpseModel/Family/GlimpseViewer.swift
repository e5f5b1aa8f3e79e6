import Layers
import Models
import Tensors

/// A frozen model's glimpses through another network: one pass of the frozen model serves all
/// policies, and each patch of an image is classified once, whoever looks at it.
final class GlimpseViewer<Element: StorageElement>: Viewer {
    private let locator: any Viewer
    private let places: PatchPlaces
    private let classifier: PatchClassifier<Element>

    init(
        _ settings: GlimpseSettings, locator: any ModelFamily, places: PatchPlaces,
        plan: ViewPlan
    ) throws {
        self.places = places
        self.locator = try locator.viewer(plan)
        classifier = PatchClassifier(
            settings, cut: PatchCut(settings, places), store: plan.store, pool: plan.pool,
            patches: max(1, plan.glimpses * plan.policies.values.reduce(0, +)))
    }

    var placeCount: Int { locator.placeCount }

    var byteCount: Int { locator.byteCount + classifier.byteCount }

    func readParameters() throws { try locator.readParameters() }

    func callAsFunction(_ images: ViewedImages, wantsMap: Bool) throws -> [ModelOutput] {
        let found = try locator(images, wantsMap: wantsMap)
        let patches = found.map { view in
            // In the order of policies, so that a patch's neighbours do not depend on a hash.
            var seen: Set<Window> = []
            return Policy.allCases.flatMap { view.sequences[$0] ?? [] }.flatMap(\.windows)
                .map(places.patch).filter { seen.insert($0).inserted }
        }
        let logits = try classifier(
            images.patchImages.isEmpty ? images.standardized : images.patchImages,
            patches: patches)
        return found.indices.map { image in
            let known = Dictionary(uniqueKeysWithValues: zip(patches[image], logits[image]))
            var view = ModelOutput()
            view.sequences = found[image].sequences.mapValues { $0.map { look($0, known) } }
            view.map = found[image].map.map(scaled)
            return view
        }
    }

    /// The same glimpses in the classifier's image, with its predictions.
    private func look(_ look: GlimpseSequence, _ logits: [Window: [Float]]) -> GlimpseSequence {
        let patches = look.windows.map(places.patch)
        let rows = patches.flatMap { logits[$0] ?? [] }
        let classes = rows.count / max(1, patches.count)
        var result = GlimpseSequence(
            windows: patches, places: look.places,
            predictions: AveragedLogits.prefixes(
                rows, classes: classes, locations: Array(patches.indices)))
        result.showsPath = look.showsPath
        return result
    }

    private func scaled(_ map: PolicyMap) -> PolicyMap {
        PolicyMap(
            values: map.values, windows: map.windows.map(places.patch),
            stride: max(1, map.stride * places.imageSize / places.locatorSize))
    }
}
