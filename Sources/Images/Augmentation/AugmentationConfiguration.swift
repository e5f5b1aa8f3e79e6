/// Which random part of a training image the model sees: torchvision's `RandomResizedCrop`.
public struct CropConfiguration: Codable, Equatable, Sendable {
    /// The least and the most of the image's area.
    public var area = [0.08, 1]
    /// The least and the most of width over height.
    public var aspect = [0.75, 4.0 / 3]

    /// The augmentation of ImageNet (Method: Data).
    public init() {}
}

extension CropConfiguration {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        area = try container.decode([Double].self, forKey: .area)
        // Settings are written with 15 digits, and 4/3 has more.
        aspect = try container.decode([Double].self, forKey: .aspect)
            .map { abs($0 - 4.0 / 3) < 1e-14 ? 4.0 / 3 : $0 }
    }
}

/// Whether training images are mirrored, each way in half of the cases.
public enum Flip: String, Codable, CaseIterable, Sendable {
    /// Horizontally with random crops, else not at all.
    case auto
    /// Left and right.
    case horizontal
    /// Left and right, and independently of it top and bottom: for pictures that have no up.
    case both
    /// Never.
    case none
}

/// How far colours are changed at random: torchvision's `ColorJitter`; 0 leaves them.
public struct ColorJitterConfiguration: Codable, Equatable, Sendable {
    /// b: the image times a factor of max(0, 1 − b) to 1 + b.
    public var brightness = 0.0
    /// c: the distance from the image's mean grey times a factor of max(0, 1 − c) to 1 + c.
    public var contrast = 0.0
    /// s: the distance from each pixel's grey times a factor of max(0, 1 − s) to 1 + s.
    public var saturation = 0.0
    /// h: all hues turned by −h to h, where 1 is the whole circle.
    public var hue = 0.0

    /// No change.
    public init() {}

    /// Whether nothing is changed.
    var isOff: Bool { self == ColorJitterConfiguration() }
}
