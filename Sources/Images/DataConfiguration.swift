/// Which part of a training image the model sees.
public enum Augmentation: String, Codable, CaseIterable, Sendable {
    /// A random part of each image, as `crop` says (Method: Data).
    case randomArea
    /// The central part, as in evaluation: for images whose classes a crop would change.
    case none
}

/// How images are brought to the size that the model sees.
public enum Resampling: String, Codable, CaseIterable, Sendable {
    /// Antialiased bicubic, as Pillow does it.
    case antialias
    /// Bicubic without antialiasing, as the published code's framework did it.
    case legacy
}

/// Where the images are and what is done to them.
public struct DataConfiguration: Codable, Equatable, Sendable {
    /// A folder in ImageNet's layout, or an index of images; empty: the demonstration's.
    public var path = ""
    /// The side of the images that the model sees, in pixels.
    public var imageSize = 224
    /// The side of the images that patches for a second network are cut out of, in pixels; those of
    /// `imageSize` are then scaled down from them. 0: the same images.
    public var patchImageSize = 0
    /// The part of the training images that is kept for development, unless there is a folder
    /// `dev`.
    public var developmentFraction = 0.05
    /// Whether class 0 is "background", which no image has: class k then has label k + 1.
    public var backgroundClass = true
    /// Threads that decode images ahead of the step.
    public var workers = 1
    /// Which part of a training image the model sees.
    public var augmentation = Augmentation.randomArea
    /// The random part, where `augmentation` is `randomArea`.
    public var crop = CropConfiguration()
    /// Whether training images are mirrored.
    public var flip = Flip.auto
    /// How far their colours are changed.
    public var colorJitter = ColorJitterConfiguration()
    /// What becomes of pictures with an alpha channel.
    public var transparency = Transparency.drop
    /// Whether a picture is turned as its camera was held.
    public var orientation = Orientation.ignore
    /// How a crop is brought to `imageSize`.
    public var resize = Resampling.antialias
    /// Evaluation crops the central imageSize/(imageSize + margin) of the shorter side.
    public var centralCropMargin = 22

    /// ImageNet's defaults.
    public init() {}

    /// What the pixels that evaluation sees and the numbers of the labels depend on, besides
    /// `imageSize`: models whose answers are put together have it in common.
    public var likeness: [(key: String, value: String)] {
        [
            ("data.backgroundClass", "\(backgroundClass)"),
            ("data.centralCropMargin", "\(centralCropMargin)"),
            ("data.transparency", transparency.rawValue),
            ("data.orientation", orientation.rawValue), ("data.resize", resize.rawValue),
        ]
    }

    /// The side to which a crop is brought.
    var cropSize: Int { patchImageSize > 0 ? patchImageSize : imageSize }
}
