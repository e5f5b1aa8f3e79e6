import Models
import Tensors

/// Which network classifies the patches.
public enum GlimpseNetwork: String, Codable, CaseIterable, Sendable {
    /// NASNet-A, `model.nasnet` (the paper's).
    case nasnet
    /// ResNet-v2, `model.classifier`.
    case resnetv2
}

/// How a patch lies to what the locator saw.
public enum PatchAlignment: String, Codable, CaseIterable, Sendable {
    /// Its middle is that of what the location sees.
    case receptiveField
    /// As the published code has it: spread evenly over the whole image.
    case reference
}

/// Whose places the patches are cut at.
public enum LocatorFamily: String, Codable, CaseIterable, Sendable {
    /// A Saccader's.
    case saccader
    /// A DRAM's.
    case dram
    /// Nobody's: the file holds the network alone, as `import` writes it.
    case none
}

/// The settings of a network that looks at patches, below the root's key `glimpse`.
public struct GlimpseConfiguration: Codable, Equatable, Sendable {
    /// The checkpoint of the model that says where; it is frozen, and copied into each checkpoint
    /// of the run.
    public var locator = ""
    /// Its family; filled in from the checkpoint.
    public var locatorFamily = LocatorFamily.saccader
    /// The step at which it was written; filled in.
    public var locatorStep = 0
    /// The checksum of its numbers; filled in.
    public var locatorChecksum = ""
    /// What classifies the patches.
    public var network = GlimpseNetwork.nasnet
    /// The side of what is cut out, in pixels of the classifier's image; 0: the locator's field,
    /// scaled as the image is.
    public var windowSize = 0
    /// The side to which it is resized; 0: not at all.
    public var patchSize = 0
    /// How patches lie to what the locator saw.
    public var alignment = PatchAlignment.receptiveField
    /// In training, patches are moved by up to so many pixels up, down, left and right.
    public var jitter = 0
    /// In training, the part of the patches that are cut at random places instead.
    public var randomPlaces = 0.0
    /// The scale of pixels that the network expects.
    public var pixels = PixelScale()

    /// The paper's.
    public init() {}

    /// The words that some keys take.
    public static let choices = [
        "locatorFamily": LocatorFamily.allCases.map(\.rawValue),
        "network": GlimpseNetwork.allCases.map(\.rawValue),
        "alignment": PatchAlignment.allCases.map(\.rawValue),
    ]

    /// The first setting that cannot be used whatever the locator is, by its key below `glimpse`.
    var problem: SettingProblem? {
        let counts = [
            ("windowSize", windowSize, 0...CountRange.imageSize.upperBound),
            ("patchSize", patchSize, 0...CountRange.imageSize.upperBound),
            ("jitter", jitter, 0...CountRange.imageSize.upperBound),
        ]
        if let problem = SettingProblem.first(counts) { return problem }
        if !(0...1).contains(randomPlaces) {
            return SettingProblem("randomPlaces", "is \(randomPlaces): give 0 to 1")
        }
        return pixels.problem?.below("pixels")
    }
}
