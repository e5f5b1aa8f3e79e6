extension CheckpointHeader {
    /// What a checkpoint of a stage with a moving average says of it.
    public struct Average: Equatable, Sendable {
        /// Top-1 accuracy of the averaged weights on the development images, where they were scored.
        public var developmentAccuracy: Double?
        /// Updates of the average, which lies below `/ema`; nil where there is none.
        public var updates: Int?
        /// Whether the weights below `/model` are averaged ones.
        public var isModel = false

        /// None.
        public init() {}
    }
}

extension CheckpointHeader.Average {
    private static let names = (
        accuracy: "emaDevelopmentAccuracy", updates: "emaUpdates", weights: "weights"
    )

    /// Reads the root attributes of a file.
    init(_ file: HDF5File) throws(CheckpointError) {
        developmentAccuracy = try file.number(Self.names.accuracy)
        updates = try file.integer(Self.names.updates)
        isModel = try file.text(Self.names.weights) == "ema"
    }

    /// Writes them.
    func write(to file: HDF5File) throws(CheckpointError) {
        if let developmentAccuracy {
            try file.writeAttribute(Self.names.accuracy, developmentAccuracy)
        }
        if let updates { try file.writeAttribute(Self.names.updates, updates) }
        if isModel { try file.writeAttribute(Self.names.weights, "ema") }
    }
}
