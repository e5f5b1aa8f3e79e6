import Images

/// What to predict, as the command line says it.
public struct PredictionOptions: Sendable {
    /// The checkpoint file.
    public var checkpoint: String
    /// Pictures, folders, lists of paths, or `-`.
    public var pictures: [String]
    /// How many classes are told of each picture.
    public var top = 5
    /// The most glimpses; nil: as many as in training.
    public var glimpses: Int?
    /// The probability at which the model stops looking; nil: it takes all glimpses.
    public var confidence: Double?
    /// Pictures of one pass through the network.
    public var batchSize = 64
    /// Replaces the training's `data.centralCropMargin`; nil: that of the training.
    public var centralCropMargin: Int?
    /// What the model is shown of a picture.
    public var framing = Framing.crop
    /// Whether the user has said that arrays were edited.
    public var acceptsEdited = false
    /// Whether the views tell where the policy wants to look.
    public var wantsMaps = false
    /// Threads of this process.
    public var threadCount: Int

    /// The plain case.
    public init(checkpoint: String, pictures: [String], threadCount: Int) {
        (self.checkpoint, self.pictures) = (checkpoint, pictures)
        self.threadCount = threadCount
    }
}
