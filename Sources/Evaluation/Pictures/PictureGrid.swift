import Foundation
import Images
import Terminal

/// Pictures of one size in rows and columns, a heading over each column and a caption under each
/// row.
public struct PictureGrid {
    /// A row of pictures.
    public struct Row {
        let pictures: [Pixels]
        let caption: String

        /// Names a row.
        public init(_ pictures: [Pixels], caption: String) {
            (self.pictures, self.caption) = (pictures, caption)
        }
    }

    /// Sides of the margin and of a line of words, in pixels.
    private static let (margin, line) = (6.0, 22.0)
    /// The least side of a picture, in pixels.
    private static let leastSide = 112

    private let headings: [String]
    private let rows: [Row]

    /// Lays out rows of as many pictures as there are headings.
    public init(headings: [String], rows: [Row]) {
        precondition(rows.allSatisfy { $0.pictures.count == headings.count }, "uneven rows")
        (self.headings, self.rows) = (headings, rows)
    }

    /// The grid as a PNG file; nil without pictures.
    public func png() throws(RequestError) -> Data? {
        guard let first = rows.first?.pictures.first else { return nil }
        // Whole pixels, so that none is blurred.
        let scale = max(1, (Self.leastSide + first.width - 1) / first.width)
        let side = Double(first.width * scale)
        let (stepX, stepY) = (side + Self.margin, side + Self.line + Self.margin)
        let width = Int(Self.margin + stepX * Double(headings.count))
        let height = Int(Self.line + Self.margin + stepY * Double(rows.count))
        guard let canvas = Canvas(width: width, height: height) else { throw ContactSheet.noMemory }
        canvas.useFont(isBold: false)
        for (column, heading) in headings.enumerated() {
            canvas.text(
                heading, x: Self.margin + stepX * Double(column) + side / 2,
                y: Self.margin + Self.line / 2, size: 13, color: .ink, hasRim: false, maxWidth: side
            )
        }
        for (number, row) in rows.enumerated() {
            let y = Self.line + Self.margin + stepY * Double(number)
            for (column, picture) in row.pictures.enumerated() {
                canvas.image(
                    picture, x: Self.margin + stepX * Double(column), y: y, scale: Double(scale))
            }
            canvas.label(
                row.caption, at: Canvas.Point(x: Self.margin, y: y + side + Self.line / 2),
                size: 13, anchor: .start)
        }
        return try canvas.encoded()
    }
}
