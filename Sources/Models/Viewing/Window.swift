/// A rectangle of an image that a glimpse sees, in pixels; it may reach beyond the borders.
public struct Window: Hashable, Sendable {
    /// The rows of pixels.
    public let rows: Range<Int>
    /// The columns of pixels.
    public let columns: Range<Int>
    /// Pixels of the image along a pixel of what the network gets: 1 where the window is as it is.
    public let scale: Double

    /// Names the pixels.
    public init(rows: Range<Int>, columns: Range<Int>, scale: Double = 1) {
        (self.rows, self.columns, self.scale) = (rows, columns, scale)
    }

    /// The pixel in the middle (of an even side the one after the middle).
    public var centralPixel: (y: Int, x: Int) {
        (rows.lowerBound + rows.count / 2, columns.lowerBound + columns.count / 2)
    }

    /// The middle, (y, x), a distance from the image's corner in pixels.
    public var center: (y: Double, x: Double) {
        (
            Double(rows.lowerBound) + Double(rows.count) / 2,
            Double(columns.lowerBound) + Double(columns.count) / 2
        )
    }
}
