import DRAMModel

/// Cuts a DRAM's glimpses out of images, as a graph: windows of several sizes around one place.
struct GlimpseCutGraph {
    private let geometry: GlimpseGeometry
    /// The images with the pixels' rows and columns as channels four and five, columns first, `[N, W, H, 5]`.
    private let columns: GraphValue

    /// - Parameter images: Standardised, `[N, 3, H, H]`.
    init(_ geometry: GlimpseGeometry, _ images: GraphValue, to graph: inout GraphBuilder) {
        self.geometry = geometry
        let size = geometry.imageSize
        let line = (0..<size).map { size > 1 ? Float(2 * Double($0) / Double(size - 1) - 1) : -1 }
        let rows = line.flatMap { Array(repeating: $0, count: size) }
        let columns = (0..<size).flatMap { _ in line }
        let lines = graph.repeated(
            graph.constant(.floats(rows + columns), shape: [1, 2, size, size]),
            shape: [2, size, size], images: images)
        self.columns = graph.transposed(
            graph.concatenated([images, lines], axis: 1), [0, 3, 2, 1])
    }

    /// The first row and column of a window, which may lie outside of the image, `[N, 2]`.
    ///
    /// - Parameter place: (y, x) in −1…1, `[N, 2]`.
    func corner(
        of place: GraphValue, resolution: Int, to graph: inout GraphBuilder
    ) -> GraphValue {
        func number(_ number: Double) -> GraphValue {
            graph.constant(.doubles([number]), shape: [])
        }
        let side = Double(geometry.sides[resolution])
        // Types 11 and 7 of ONNX: double and int64.
        let exact = graph.add("Cast", [place], ["to": .integer(11)])
        let middle = graph.product(
            graph.sum(exact, number(1)), number(Double(geometry.imageSize)))
        let doubled = graph.difference(middle, number(side))
        let first = graph.sum(
            graph.product(doubled, number(0.5)), number(GlimpseGeometry.nudge))
        return graph.add("Cast", [graph.add("Floor", [first])], ["to": .integer(7)])
    }

    /// One glimpse, `[N, 5R, g, g]`.
    ///
    /// - Parameter resolutions: How many windows show the image; the others show their own mean.
    func add(
        _ place: GraphValue, resolutions: Int, to graph: inout GraphBuilder
    ) -> GraphValue {
        let windows = geometry.sides.indices.map { resolution in
            let corner = corner(of: place, resolution: resolution, to: &graph)
            let window = window(corner, resolution, &graph)
            return resolution < resolutions ? window : flattened(window, &graph)
        }
        return graph.concatenated(windows, axis: 1)
    }

    private func window(
        _ corner: GraphValue, _ resolution: Int, _ graph: inout GraphBuilder
    ) -> GraphValue {
        let (side, size) = (geometry.sides[resolution], geometry.glimpseSize)
        let steps = (0..<size).map { ($0 * side).quotientAndRemainder(dividingBy: size) }
        let fractions = steps.map { Float($0.remainder) / Float(size) }
        /// Between the pixels of `values`, `[N, H, …]`, along one dimension.
        func between(_ values: GraphValue, axis: Int) -> GraphValue {
            let first = graph.rows(
                corner, graph.constant(.integers([axis])), axis: 1)  // [N, 1]
            func pixels(_ offset: Int) -> GraphValue {
                let indices = graph.sum(
                    first, graph.constant(.integers(steps.map { $0.quotient + offset })))
                return graph.ownRows(
                    values, graph.clamped(indices, to: 0...(geometry.imageSize - 1)))
            }
            let lower = pixels(0)
            if fractions.allSatisfy({ $0 == 0 }) { return lower }
            let parts = graph.constant(.floats(fractions), shape: [size, 1, 1])
            let step = graph.difference(pixels(1), lower)
            return graph.sum(lower, graph.product(step, parts))
        }
        let across = graph.transposed(between(columns, axis: 1), [0, 2, 1, 3])  // [N, H, g, 5]
        return graph.transposed(between(across, axis: 0), [0, 3, 1, 2])
    }

    /// A window in which each channel is its mean.
    private func flattened(_ window: GraphValue, _ graph: inout GraphBuilder) -> GraphValue {
        let size = geometry.glimpseSize
        return graph.add(
            "Expand",
            [graph.placeMean(window), graph.constant(.integers([1, 1, size, size]))])
    }
}
