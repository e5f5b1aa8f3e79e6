import Models
import SaccaderModel

/// The Saccader as a graph: attention, mixing and the cell's learned policy, its loop unrolled.
struct SaccaderGraph {
    private let settings: SaccaderSettings
    private let geometry: Geometry

    init(_ model: SaccaderFamily) { (settings, geometry) = (model.settings, model.geometry) }

    /// The mean of the logits of all locations, `[N, c]`.
    ///
    /// - Parameter pixels: Red, green and blue, 0…255, `[N, 3, H, H]`.
    func addMean(_ pixels: GraphValue, to graph: inout GraphBuilder) -> GraphValue {
        let images = graph.standardized(pixels, .standard)
        let network = RepresentationGraph(settings, images, to: &graph)
        let mean = graph.placeMean(network.logits)
        return graph.narrowed(mean, axes: [2, 3])
    }

    /// The learned policy's first glimpses.
    func addGlimpses(
        _ count: Int, of pixels: GraphValue, to graph: inout GraphBuilder
    ) -> GraphGlimpses {
        let images = graph.standardized(pixels, .standard)
        let network = RepresentationGraph(settings, images, to: &graph)
        // The columns are places: [N, d, P]. The rows of the transposed are.
        let columns = graph.reshaped(
            mixed(network, &graph), [0, settings.mixedFeatures, geometry.locationCount])
        let rows = graph.transposed(columns, [0, 2, 1])
        let classes = graph.transposed(
            graph.reshaped(network.logits, [0, settings.classes, geometry.locationCount]),
            [0, 2, 1])
        // The part of equation 1 that does not change with time: F·a/√d, [N, P].
        let vector = graph.widened(graph.weight("cell/a"), axes: [1])
        let attention = graph.scaled(
            graph.narrowed(graph.matrixProduct(rows, vector), axes: [2]),
            by: 1 / Float(settings.mixedFeatures).squareRoot())
        let corners = graph.constant(
            .integers(
                (0..<geometry.locationCount).flatMap { location in
                    let window = geometry.window(of: location)
                    return [window.rows.lowerBound, window.columns.lowerBound]
                }), shape: [geometry.locationCount, 2])
        var visited: GraphValue?
        var (places, seen): ([GraphValue], [GraphValue]) = ([], [])
        for glimpse in 0..<count {
            let penalty = visited.map { graph.scaled($0, by: SaccaderCell.visitedPenalty) }
            let logits = policy(columns, rows, attention, penalty, &graph)
            let place = graph.add(
                "ArgMax", [logits], ["axis": .integer(1), "keepdims": .integer(0)])
            places.append(place)
            if settings.cell.soft {
                let weights = graph.widened(graph.softmax(logits, axis: 1), axes: [1])
                let weighted = graph.matrixProduct(weights, classes)
                seen.append(graph.narrowed(weighted, axes: [1]))
            } else {
                let own = graph.ownRows(classes, graph.widened(place, axes: [1]))
                seen.append(graph.narrowed(own, axes: [1]))
            }
            if glimpse + 1 < count {
                let now = graph.add(
                    "OneHot",
                    [
                        place, graph.constant(.integers([geometry.locationCount])),
                        graph.constant(.floats([0, 1])),
                    ], ["axis": .integer(1)])
                visited = visited.map { graph.add("Max", [$0, now]) } ?? now
            }
        }
        return GraphGlimpses(
            logits: graph.runningMeans(seen), places: places,
            corners: places.map { graph.rows(corners, $0) }, side: geometry.receptiveField,
            isOnGrid: true)
    }

    /// F, `[N, d, h, w]`.
    private func mixed(
        _ network: RepresentationGraph, _ graph: inout GraphBuilder
    ) -> GraphValue {
        var parts = [network.what]
        let sizes = settings.attention
        if sizes.enabled {
            var value = network.features
            for layer in 0..<(sizes.groups * sizes.layersPerGroup) {
                let path = "attention/layer\(layer)"
                // The first layer of a group is 1×1.
                let isWide = layer % sizes.layersPerGroup > 0
                value = graph.convolution(
                    value, "\(path)/conv",
                    margins: Array(repeating: isWide ? sizes.dilation : 0, count: 4),
                    dilation: isWide ? sizes.dilation : 1)
                value = graph.relu(
                    graph.norm(value, "\(path)/norm", epsilon: settings.batchNorm.epsilon))
            }
            parts.insert(value, at: 0)
        }
        return graph.convolution(graph.concatenated(parts, axis: 1), "mixing")
    }

    /// R of equation 3, `[N, P]`.
    ///
    /// - Parameter penalty: Of each place; nil: none was visited.
    private func policy(
        _ columns: GraphValue, _ rows: GraphValue, _ attention: GraphValue,
        _ penalty: GraphValue?, _ graph: inout GraphBuilder
    ) -> GraphValue {
        let penalized = penalty.map { graph.difference(attention, $0) } ?? attention
        let weights = graph.widened(graph.softmax(penalized, axis: 1), axes: [1])  // (1)
        let channels = graph.softmax(graph.matrixProduct(weights, rows), axis: 2)  // (2)
        let logits = graph.narrowed(graph.matrixProduct(channels, columns), axes: [1])  // (3)
        return penalty.map { graph.difference(logits, $0) } ?? logits
    }
}
