/// What one policy saw of one image, glimpse by glimpse.
public struct GlimpseSequence: Sendable {
    /// What each glimpse sees in full resolution, `[T]`.
    public let windows: [Window]
    /// The place of each glimpse among the viewer's `placeCount`, `[T]`: for counts of visits.
    public let places: [Int]
    /// The logits of the prediction after 1, 2, … T glimpses, `[T][c]`.
    public let predictions: [[Float]]
    /// What was seen before the first glimpse in low resolution, for pictures.
    public var context: [Window] = []
    /// Whether pictures join the windows' middles by a line: where windows lie anywhere their order
    /// is hard to see otherwise.
    public var showsPath = false
    /// The pixels that every glimpse sees, where they are not those of its window: soft attention sees
    /// all places at once.
    public var pixelsOfEachGlimpse: Int?

    /// Names what was seen.
    public init(windows: [Window], places: [Int], predictions: [[Float]]) {
        (self.windows, self.places, self.predictions) = (windows, places, predictions)
    }
}

/// Where a learned policy wants to look: one map over the places for each glimpse.
public struct PolicyMap: Sendable {
    /// The probability of each place at each glimpse, `[T, P]`.
    public let values: [Float]
    /// What a glimpse at each place would see, `[P]`.
    public let windows: [Window]
    /// The distance of neighbouring places, in pixels.
    public let stride: Int

    /// Names the map.
    public init(values: [Float], windows: [Window], stride: Int) {
        (self.values, self.windows, self.stride) = (values, windows, stride)
    }
}

/// What a model made of one image.
public struct ModelOutput: Sendable {
    /// The logits without any choice of glimpses, `[c]`: of the Saccader the mean of all locations',
    /// of a classifier its own; nil where a model has nothing of the kind.
    public var whole: [Float]?
    /// Each policy's draws.
    public var sequences: [Policy: [GlimpseSequence]] = [:]
    /// Where the learned policy wants to look; nil unless asked for, or where there is no map.
    public var map: PolicyMap?

    /// Begins without glimpses.
    public init(whole: [Float]? = nil) { self.whole = whole }
}
