/// What a learned policy's glimpses come to in a graph.
struct GraphGlimpses {
    /// Averaged logits after 1, 2 … T glimpses, each `[N, c]`.
    var logits: [GraphValue]
    /// Where each glimpse goes: the index of a location i·w + j, each `[N]`; of a model without a
    /// grid (y, x) in −1…1, `[N, 2]`.
    let places: [GraphValue]
    /// The first row and column that each glimpse sees, `[N, 2]`.
    var corners: [GraphValue]
    /// The side of what it sees, in pixels.
    var side: Int
    /// Whether places are indices.
    let isOnGrid: Bool

    /// Names all of it as a graph's outputs.
    func write(to graph: inout GraphBuilder, classes: Int) {
        guard let last = logits.last else { return }
        let count = places.count
        graph.output(
            "logits", last, [classes], about: "averaged over all glimpses, before the softmax")
        let all = graph.stacked(logits, axis: 1)
        graph.output(
            "glimpse_logits", all, [count, classes], about: "the same after 1, 2 ... T glimpses")
        let places = graph.stacked(self.places, axis: 1)
        if isOnGrid {
            graph.output(
                "places", places, [count], .integer,
                about: "the chosen locations, row * columns + column")
        } else {
            graph.output(
                "places", places, [count, 2],
                about: "where glimpses go, (y, x), -1 and 1 are the image's borders")
        }
        let first = graph.stacked(corners, axis: 1)
        let end = graph.sum(first, graph.constant(.integers([side, side])))
        let windows = graph.concatenated([first, end], axis: 2)
        graph.output(
            "windows", windows, [count, 4], .integer,
            about: "what they see, in pixels: top, left, bottom, right")
    }
}
