import Layers
import Models
import Tensors

/// A classifier that looks at whole images and is not trained: batch norm in inference mode.
final class ClassifierViewer<Element: StorageElement>: Viewer {
    private let network: Classifier<Element>
    private let plan: ViewPlan
    private let workspace: Workspace
    private let buffers: Classifier<Element>.Buffers

    init(_ network: Classifier<Element>, imageSize: Int, plan: ViewPlan) {
        (self.network, self.plan) = (network, plan)
        workspace = Workspace(
            imageCapacity: plan.imageCapacity, shardCapacity: plan.shardCapacity,
            keepsActivations: false)
        buffers = network.plan(imageSize: imageSize, in: workspace)
        workspace.commit(threadCount: plan.pool.threadCount)
    }

    /// A classifier goes to no places.
    let placeCount = 0

    var byteCount: Int { workspace.byteCount }

    /// Nothing is kept of the store's numbers.
    func readParameters() {}

    func callAsFunction(_ images: ViewedImages, wantsMap: Bool) throws -> [ModelOutput] {
        let count = images.identifiers.count
        let pass = Pass(
            pool: plan.pool, reducer: NoRanks(), store: plan.store, workspace: workspace,
            shards: plan.shards(count), globalImageCount: count)
        buffers.images.load(
            network.configuration.classifier.pixels.applied(to: images.standardized), pass: pass)
        try network.forward(buffers, mode: .inference, pass: pass)
        let logits = Activation(final: buffers.logits).values(imageCount: count)
        return (0..<count).map {
            ModelOutput(whole: Array(logits[($0 * network.classes)..<(($0 + 1) * network.classes)]))
        }
    }
}
