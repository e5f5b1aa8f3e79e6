import Images
import Models

/// One image with what the policies did, for pictures.
public struct PicturedImage: Sendable {
    /// The image's name in the data folder.
    public let name: String
    /// The square that the model saw.
    public let pixels: Pixels
    /// The image's class.
    public let label: Int
    /// What each policy did, the random one in its first draw.
    public let sequences: [Policy: ScoredSequence]
    /// Where the learned policy wants to look; nil where it was not followed or has no map.
    public let map: PolicyMap?
}
