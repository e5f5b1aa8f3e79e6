import Images
import Models

/// What to evaluate, as the command line says it.
public struct EvaluationOptions: Sendable {
    /// The checkpoint files: one, or several of like models, whose figures become mean ± SD.
    public var checkpoints: [String]
    /// The data folder.
    public var data: String
    /// The subset: `val`, `dev` or `train`.
    public var split = "val"
    /// Policies in the order of the report; nil: all that the checkpoints can follow.
    public var policies: [Policy]?
    /// Numbers of glimpses; nil: 1…20, as far as there are places.
    public var glimpses: GlimpseList?
    /// How often the random policy is drawn.
    public var draws = 5
    /// At most this many images, spread evenly over the subset; nil: all.
    public var limit: Int?
    /// Whether predictions are compared among the classes alone that the images have.
    public var restrictsClasses = false
    /// The side of the images, in pixels; nil: that of the training.
    public var imageSize: Int?
    /// Replaces the training's `data.centralCropMargin`; nil: that of the training.
    public var centralCropMargin: Int?
    /// What the model is shown of an image.
    public var framing = Framing.crop
    /// Images of one pass through the network.
    public var batchSize = 64
    /// A checkpoint of the stage `classifier`, which judges images without the policies' windows.
    public var occlusionClassifier: String?
    /// An attack that the predictions have to stand, if asked for.
    public var attack: Attack?
    /// Which images are pictured.
    public var choices: [PictureChoice] = [.spread, .worst]
    /// Images on a contact sheet; 0: no pictures.
    public var picturedCount = 24
    /// Glimpses on a contact sheet; nil: those of the joint stage's training.
    public var picturedGlimpses: Int?
    /// Whether arrays that do not match their checksums are taken: the user has edited them.
    public var acceptsEdited = false
    /// Threads of this process.
    public var threadCount: Int

    /// The plain case.
    public init(checkpoints: [String], data: String, threadCount: Int) {
        (self.checkpoints, self.data, self.threadCount) = (checkpoints, data, threadCount)
    }
}
