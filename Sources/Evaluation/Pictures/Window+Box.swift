import Models

extension Window {
    /// Where the window lies on a picture whose corner is at (x, y), `scale` units a pixel.
    ///
    /// - Parameter size: The picture's side in pixels, beyond which nothing is drawn; nil: no bound.
    func box(x: Double, y: Double, scale: Double, within size: Int? = nil) -> Canvas.Box {
        let rows = size.map { self.rows.clamped(to: 0..<$0) } ?? self.rows
        let columns = size.map { self.columns.clamped(to: 0..<$0) } ?? self.columns
        return Canvas.Box(
            x: x + Double(columns.lowerBound) * scale, y: y + Double(rows.lowerBound) * scale,
            width: Double(columns.count) * scale, height: Double(rows.count) * scale)
    }
}
