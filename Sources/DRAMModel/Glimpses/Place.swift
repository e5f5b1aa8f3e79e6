/// Where a glimpse looks: −1 and 1 are the image's borders, 0 is its middle.
public struct Place: Equatable, Sendable {
    /// The distance from the middle downwards.
    public var y: Float
    /// The distance from the middle to the right.
    public var x: Float

    /// The middle of the image.
    public static let center = Place(y: 0, x: 0)

    /// Names a place.
    public init(y: Float, x: Float) { (self.y, self.x) = (y, x) }

    /// Reads y and x.
    init(_ pair: UnsafePointer<Float>) { self.init(y: pair[0], x: pair[1]) }

    /// Writes y and x.
    func write(to pair: UnsafeMutablePointer<Float>) { (pair[0], pair[1]) = (y, x) }

    /// The place with both coordinates in ±limit.
    func clipped(to limit: Float) -> Place {
        Place(y: min(max(y, -limit), limit), x: min(max(x, -limit), limit))
    }
}
