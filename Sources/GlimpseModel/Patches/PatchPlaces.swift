import Models

/// Where patches are cut out of the classifier's image for what a locator saw on its own; whole
/// numbers only.
public struct PatchPlaces: Equatable, Sendable {
    /// H, the side of the locator's image.
    public let locatorSize: Int
    /// S, the side of the classifier's image.
    public let imageSize: Int
    /// p, the side of a patch, in pixels of the classifier's image.
    public let side: Int
    let alignment: PatchAlignment
    let locations: LocationGrid

    /// Names the sizes.
    ///
    /// - Parameter windowSize: p; 0: the locator's field, scaled as the image is, ⌊f·S/H⌋.
    public init(
        locations: LocationGrid, locatorSize: Int, imageSize: Int, windowSize: Int = 0,
        alignment: PatchAlignment = .receptiveField
    ) {
        (self.locatorSize, self.imageSize) = (locatorSize, imageSize)
        (self.locations, self.alignment) = (locations, alignment)
        side = windowSize > 0 ? windowSize : locations.field * imageSize / max(1, locatorSize)
    }

    /// The pixels of the classifier's image that belong to what the locator saw; they may reach
    /// beyond the border.
    public func patch(of window: Window) -> Window {
        let top = corner(window.rows.lowerBound)
        let left = corner(window.columns.lowerBound)
        return Window(rows: top..<(top + side), columns: left..<(left + side))
    }

    /// The first row or column of the patch of a field that begins at `start`.
    func corner(_ start: Int) -> Int {
        let (field, small, large) = (locations.field, locatorSize, imageSize)
        if alignment == .reference, let grid = locations.grid {
            if grid.count == 1 {
                return Self.floor(large * field - side * small, by: 2 * small)
            }
            let (index, gaps) = (start / grid.stride, grid.count - 1)
            return Self.floor(
                large * (field * gaps + 2 * index * (small - field)) - side * small * gaps,
                by: 2 * small * gaps)
        }
        let place = Self.floor(
            (2 * start + field) * large - (side - 1) * small, by: 2 * small)
        return min(max(place, 0), max(0, imageSize - side))
    }

    /// ⌊a/b⌋ for positive b.
    private static func floor(_ dividend: Int, by divisor: Int) -> Int {
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
