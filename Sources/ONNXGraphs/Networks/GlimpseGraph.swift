import GlimpseModel
import Models
import Tensors

/// A second network on the patches that a frozen model's places lead to, as a graph.
struct GlimpseGraph {
    private let model: GlimpseFamily
    private let settings: GlimpseSettings

    init(_ model: GlimpseFamily) { (self.model, settings) = (model, model.settings) }

    /// The side of what the network is shown on its own: a patch, or without a locator the image.
    var side: Int { model.places?.side ?? model.viewedImageSize }

    /// The logits of patches, `[N, c]`.
    ///
    /// - Parameter pixels: Red, green and blue, 0…255, `[N, 3, p, p]`.
    func addNetwork(_ pixels: GraphValue, to graph: inout GraphBuilder) -> GraphValue {
        var images = graph.standardized(pixels, model.pixelScale)
        let size = settings.glimpse.patchSize > 0 ? settings.glimpse.patchSize : side
        if size != side {
            let weights = PatchResampling(from: side, to: size).matrix
            let rows = graph.constant(.floats(weights), shape: [size, side])
            let columns = graph.transposed(rows, [1, 0])
            images = graph.matrixProduct(rows, graph.matrixProduct(images, columns))
        }
        switch settings.glimpse.network {
        case .nasnet: return NASNetGraph(settings.nasnet).add(images, side: size, to: &graph)
        case .resnetv2:
            let network = ClassifierGraph(
                settings.classifier, epsilon: settings.batchNorm.epsilon)
            return network.add(images, to: &graph)
        }
    }

    /// The glimpses that the locator's learned policy leads to.
    ///
    /// - Parameters:
    ///   - seen: What the locator says.
    ///   - larger: The image that patches are cut out of, 0…255, `[N, 3, S, S]`.
    func add(
        _ seen: GraphGlimpses, _ places: PatchPlaces, of larger: GraphValue,
        to graph: inout GraphBuilder
    ) -> GraphGlimpses {
        let (count, side) = (seen.places.count, places.side)
        let corners = corners(seen, places, &graph)
        let all = graph.stacked(corners, axis: 1)  // [N, T, 2]
        let offsets = graph.constant(.integers(Array(0..<side)))
        /// Rows or columns of all patches, `[N, T, p]`; beyond the border are those at the border.
        func indices(_ axis: Int) -> GraphValue {
            let first = graph.rows(all, graph.constant(.integers([axis])), axis: 2)
            return graph.clamped(graph.sum(first, offsets), to: 0...(places.imageSize - 1))
        }
        let image = graph.transposed(larger, [0, 2, 3, 1])
        let bands = graph.transposed(
            graph.ownRows(image, indices(0)), [0, 1, 3, 2, 4])  // [N, T, S, p, 3]
        let cut = graph.ownRows(bands, indices(1), batch: 2)  // columns, then rows
        let patches = graph.reshaped(
            graph.transposed(cut, [0, 1, 4, 3, 2]), [-1, 3, side, side])
        let logits = graph.reshaped(
            addNetwork(patches, to: &graph), [-1, count, settings.classes])
        let single = (0..<count).map {
            graph.rows(logits, graph.constant(.integers([$0]), shape: []), axis: 1)
        }
        return GraphGlimpses(
            logits: graph.runningMeans(single), places: seen.places, corners: corners,
            side: side, isOnGrid: seen.isOnGrid)
    }

    /// The first row and column of each patch: looked up by the first ones of what was seen.
    private func corners(
        _ seen: GraphGlimpses, _ places: PatchPlaces, _ graph: inout GraphBuilder
    ) -> [GraphValue] {
        let last = places.locatorSize - seen.side
        let table = graph.constant(
            .integers(
                (0...last).map { first in
                    let pixels = first..<(first + seen.side)
                    return places.patch(of: Window(rows: pixels, columns: pixels))
                        .rows.lowerBound
                }))
        return seen.corners.map { graph.rows(table, graph.clamped($0, to: 0...last)) }
    }
}
