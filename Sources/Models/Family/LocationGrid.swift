/// What a glimpse of a family sees of an image, and where glimpses can go.
public struct LocationGrid: Equatable, Sendable {
    /// The side of what a glimpse sees, in pixels.
    public let field: Int
    /// The distance of neighbouring locations in pixels, and their number along a side; nil where
    /// glimpses go anywhere.
    public let grid: (stride: Int, count: Int)?

    /// Names the sizes.
    public init(field: Int, grid: (stride: Int, count: Int)? = nil) {
        (self.field, self.grid) = (field, grid)
    }

    /// Locations of an image; nil where glimpses go anywhere.
    public var locationCount: Int? { grid.map { $0.count * $0.count } }

    /// What a location sees.
    public func window(of location: Int) -> Window? {
        guard let grid else { return nil }
        let (i, j) = location.quotientAndRemainder(dividingBy: grid.count)
        return Window(
            rows: (i * grid.stride)..<(i * grid.stride + field),
            columns: (j * grid.stride)..<(j * grid.stride + field))
    }

    public static func == (left: LocationGrid, right: LocationGrid) -> Bool {
        left.field == right.field && left.grid?.stride == right.grid?.stride
            && left.grid?.count == right.grid?.count
    }
}
