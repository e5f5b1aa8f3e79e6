import DRAMModel
import Models

/// The DRAM as a graph: its glimpse network, two LSTM cells and emission, the loop unrolled.
struct DRAMGraph {
    private let settings: DRAMConfiguration
    private let geometry: GlimpseGeometry

    init(_ model: DRAMFamily) { (settings, geometry) = (model.settings, model.geometry) }

    /// What a cell hands on, `[N, u, 1, 1]` each.
    private struct State {
        let output: GraphValue
        let memory: GraphValue
    }

    /// The learned policy's first glimpses.
    ///
    /// - Parameter pixels: Red, green and blue, 0…255, `[N, 3, H, H]`.
    func addGlimpses(
        _ count: Int, of pixels: GraphValue, to graph: inout GraphBuilder
    ) -> GraphGlimpses {
        let cut = GlimpseCutGraph(geometry, graph.standardized(pixels, .standard), to: &graph)
        let sizes = settings.dram
        func empty(_ units: Int) -> State {
            let zeros = graph.repeated(
                graph.constant(.floats([0]), shape: [1, 1, 1]), shape: [units, 1, 1],
                images: pixels)
            return State(output: zeros, memory: zeros)
        }
        func features(_ place: GraphValue, _ resolutions: Int) -> GraphValue {
            trunk.add(cut.add(place, resolutions: resolutions, to: &graph), to: &graph)
        }
        let center = graph.repeated(
            graph.constant(.floats([0, 0])), shape: [2], images: pixels)
        // The context's classification state is dropped.
        var seen = features(center, sizes.resolutions)
        let context = cell(
            "classificationCell", seen, empty(sizes.classificationUnits),
            sizes.classificationUnits, &graph)
        var location = cell(
            "locationCell", context.output, empty(sizes.locationUnits), sizes.locationUnits,
            &graph)
        var place = emission(location.output, &graph)
        var classification = empty(sizes.classificationUnits)
        var (places, corners, logits): ([GraphValue], [GraphValue], [GraphValue]) = ([], [], [])
        for glimpse in 0..<count {
            places.append(place)
            corners.append(cut.corner(of: place, resolution: 0, to: &graph))
            seen = features(place, sizes.classificationResolutions)
            classification = cell(
                "classificationCell", seen, classification, sizes.classificationUnits, &graph)
            logits.append(
                graph.narrowed(
                    graph.convolution(classification.output, "dram/logits"), axes: [2, 3]))
            if glimpse + 1 < count {
                location = cell(
                    "locationCell", classification.output, location, sizes.locationUnits, &graph)
                place = emission(location.output, &graph)
            }
        }
        return GraphGlimpses(
            logits: sizes.prediction == .mean ? graph.runningMeans(logits) : logits,
            places: places, corners: corners, side: geometry.glimpseSize, isOnGrid: false)
    }

    private var trunk: TrunkGraph {
        TrunkGraph(
            path: "dram/glimpse", blocks: settings.dram.blocks, strides: settings.dram.strides,
            isSlim: true, epsilon: settings.batchNorm.epsilon)
    }

    /// `[i|j|f|o] = [input, h]·W + b`; the 1 of the forget gate is no part of b.
    private func cell(
        _ name: String, _ input: GraphValue, _ state: State, _ units: Int,
        _ graph: inout GraphBuilder
    ) -> State {
        let sums = graph.convolution(
            graph.concatenated([input, state.output], axis: 1), "dram/\(name)")
        let gates = graph.add(
            "Split", [sums, graph.constant(.integers(Array(repeating: units, count: 4)))],
            ["axis": .integer(1)], outputs: 4)
        func sigmoid(_ value: GraphValue) -> GraphValue { graph.add("Sigmoid", [value]) }
        func tanh(_ value: GraphValue) -> GraphValue { graph.add("Tanh", [value]) }
        let forget = sigmoid(graph.sum(gates[2], graph.constant(.floats([1]), shape: [])))
        let kept = graph.product(forget, state.memory)
        let new = graph.product(sigmoid(gates[0]), tanh(gates[1]))
        let memory = graph.sum(kept, new)
        return State(output: graph.product(sigmoid(gates[3]), tanh(memory)), memory: memory)
    }

    /// Where the next glimpse goes, (y, x), `[N, 2]`.
    private func emission(_ output: GraphValue, _ graph: inout GraphBuilder) -> GraphValue {
        let sums = graph.convolution(output, "dram/emission")
        let mean = graph.add("Tanh", [graph.narrowed(sums, axes: [2, 3])])
        return graph.scaled(mean, by: geometry.limit)
    }
}
