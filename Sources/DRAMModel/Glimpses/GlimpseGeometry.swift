/// The windows of a glimpse: square, around one place, from g pixels to the whole image.
public struct GlimpseGeometry: Equatable, Sendable {
    /// H, the image's side, in pixels.
    public let imageSize: Int
    /// The windows' sides n_0 = g, n_1, …, n_(R−1) = H, in pixels.
    public let sides: [Int]

    /// The first row and column of a window; they may lie outside of the image.
    public struct Corner: Equatable, Sendable {
        /// The first row.
        public let row: Int
        /// The first column.
        public let column: Int
    }

    /// Describes the windows of `resolutions` sizes in images of `imageSize`² pixels.
    public init(imageSize: Int, glimpseSize: Int, resolutions: Int) {
        self.imageSize = imageSize
        let last = max(1, resolutions - 1)
        sides = (0..<resolutions).map {
            (glimpseSize * last + (imageSize - glimpseSize) * $0) / last
        }
    }

    /// g, the side of the finest window and of what the network sees, in pixels.
    public var glimpseSize: Int { sides[0] }

    /// s: places lie in ±s, so that the finest window never leaves the image.
    public var limit: Float { Float(1 - Double(glimpseSize) / Double(imageSize)) }

    /// What a corner is moved by before it is rounded down, in pixels: a place at the limit, with
    /// the rounding of single precision, would otherwise land one pixel short or outside.
    package static let nudge = 0x1p-10

    /// Where the window of a resolution begins: ⌊(H·(y + 1) − n)/2 + 2⁻¹⁰⌋, and likewise for x.
    public func corner(of place: Place, resolution: Int = 0) -> Corner {
        func first(_ coordinate: Float) -> Int {
            let (size, side) = (Double(imageSize), Double(sides[resolution]))
            let pixel = ((size * (Double(coordinate) + 1) - side) / 2 + Self.nudge).rounded(.down)
            // A network that has diverged names no place; its loss, no number either, ends the run.
            return abs(pixel) < 1e9 ? Int(pixel) : 0
        }
        return Corner(row: first(place.y), column: first(place.x))
    }
}
