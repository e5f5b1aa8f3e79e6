import Images

/// One image with what a policy did, for pictures.
public struct Sighting: Sendable {
    /// The image's name in the data folder.
    public let name: String
    /// The square that the model saw.
    public let pixels: Pixels
    /// Places in order.
    public let locations: [Int]
    /// The image's class.
    public let label: Int
    /// What the averaged logits say after 1, 2, … T glimpses.
    public let predictions: [Int]
}
