/// The part of an image's file that the model sees.
public struct ImageCrop: Equatable, Sendable {
    /// The part, in pixels of the file.
    public let box: Resize.Box
    /// Whether left and right are exchanged.
    public let isFlipped: Bool
    /// Whether top and bottom are exchanged.
    public let isUpsideDown: Bool
    /// The side of what the model sees, in pixels.
    public let size: Int

    /// Pixels of the file along a pixel of what the model sees.
    public var scale: (y: Double, x: Double) {
        (box.height / Double(size), box.width / Double(size))
    }

    /// Names a part.
    init(box: Resize.Box, isFlipped: Bool, isUpsideDown: Bool = false, size: Int) {
        (self.box, self.size) = (box, size)
        (self.isFlipped, self.isUpsideDown) = (isFlipped, isUpsideDown)
    }

    /// Where a pixel (y, x) of the file is in what the model sees; nil: outside of it.
    public func place(y: Int, x: Int) -> (y: Int, x: Int)? {
        func shown(_ place: Int, from start: Double, of extent: Double) -> Int {
            Int(((Double(place) + 0.5 - start) * Double(size) / extent).rounded(.down))
        }
        let row = shown(y, from: box.y, of: box.height)
        let column = shown(x, from: box.x, of: box.width)
        guard (0..<size).contains(row), (0..<size).contains(column) else { return nil }
        return (isUpsideDown ? size - 1 - row : row, isFlipped ? size - 1 - column : column)
    }
}
