/// What `trace` looks at in inference mode.
public struct TracedBatch: Sendable {
    /// Standardised, `[N, H, W, 3]`.
    public let images: [Float]
    /// N.
    public let imageCount: Int
    /// The same images in another size, standardised, `[N, S, S, 3]`; empty: there are none.
    public let patchImages: [Float]
    /// Places of a grid in place of the learned policy's, `[N, T]`; nil: none are given.
    public let locations: [Int32]?

    /// Names a batch.
    public init(
        images: [Float], imageCount: Int, patchImages: [Float] = [], locations: [Int32]? = nil
    ) {
        (self.images, self.imageCount) = (images, imageCount)
        (self.patchImages, self.locations) = (patchImages, locations)
    }
}
