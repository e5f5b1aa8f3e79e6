import Foundation
import Images
import Models
import Terminal

/// The learned policy R̃ (eq. 3) at each glimpse, one image a row: light where it wants to look,
/// each map scaled to its largest probability, which stands below; the window it took is framed.
struct HeatMapSheet {
    /// A row has a map for each glimpse: few images and glimpses keep it readable.
    private static let (rows, maps) = (8, 8)
    private static let (margin, caption) = (8.0, 22.0)

    /// An image and the policy on it.
    struct Row {
        /// What the model saw.
        let pixels: Pixels
        let caption: String
        /// The windows that were taken, `[T]`.
        let windows: [Window]
        let map: PolicyMap
    }

    private let imageRows: [Row]
    private let glimpses: Int

    /// Lays out the first of `pictured`, each with its policy for `glimpses` glimpses.
    init(_ pictured: [PicturedImage], glimpses: Int, classes: [String]) {
        let rows = pictured.compactMap { image in
            image.map.map { map in
                let label = image.label
                return Row(
                    pixels: image.pixels,
                    caption: classes.indices.contains(label) ? classes[label] : "class \(label)",
                    windows: image.sequences[.learned]?.windows ?? [], map: map)
            }
        }
        self.init(Array(rows.prefix(Self.rows)), glimpses: glimpses)
    }

    /// Lays out images, each with its policy for `glimpses` glimpses.
    init(_ rows: [Row], glimpses: Int) {
        imageRows = rows
        self.glimpses = min(glimpses, Self.maps)
    }

    /// The sheet as a PNG file; nil without images.
    func png() throws(RequestError) -> Data? {
        guard let first = imageRows.first else { return nil }
        let size = first.pixels.width
        let scale = max(1, (143 + size) / size)
        let side = Double(size * scale)
        let (stepX, stepY) = (side + Self.margin, side + Self.margin + Self.caption)
        guard
            let canvas = Canvas(
                width: Int(stepX) * (glimpses + 1) + Int(Self.margin),
                height: Int(stepY) * imageRows.count + Int(Self.margin))
        else { throw ContactSheet.noMemory }
        canvas.useFont(isBold: false)
        for (number, row) in imageRows.enumerated() {
            let y = Self.margin + stepY * Double(number)
            canvas.image(row.pixels, x: Self.margin, y: y, scale: Double(scale))
            canvas.text(
                row.caption, x: Self.margin + side / 2, y: y + side + 11, size: 12, color: .ink,
                hasRim: false, maxWidth: side)
            for glimpse in 0..<glimpses {
                draw(
                    row, glimpse, on: canvas,
                    x: Self.margin + stepX * Double(glimpse + 1), y: y, scale: Double(scale))
            }
        }
        return try canvas.encoded()
    }

    private func draw(
        _ row: Row, _ glimpse: Int, on canvas: Canvas, x: Double, y: Double, scale: Double
    ) {
        let map = row.map
        let count = map.windows.count
        let values = map.values[(glimpse * count)..<((glimpse + 1) * count)]
        let largest = Double(values.max() ?? 1)
        let side = Double(row.pixels.width) * scale
        let box = Canvas.Box(x: x, y: y, width: side, height: side)
        canvas.image(row.pixels, x: x, y: y, scale: scale)
        canvas.fill(box, .black, opacity: 0.45)
        let cell = Double(map.stride) * scale
        for (window, value) in zip(map.windows, values) {
            let center = window.center
            let part = Double(value) / largest
            canvas.fill(
                Canvas.Box(
                    x: x + center.x * scale - cell / 2, y: y + center.y * scale - cell / 2,
                    width: cell, height: cell), Self.heat(part), opacity: 0.15 + 0.75 * part)
        }
        if row.windows.indices.contains(glimpse) {
            canvas.frame(row.windows[glimpse].box(x: x, y: y, scale: scale), .white, width: 1.5)
        }
        canvas.label(
            String(format: "%d: largest %.1f %%", glimpse + 1, 100 * largest),
            at: Canvas.Point(x: x + side / 2, y: y + side + 11), size: 12, anchor: .middle)
    }

    /// A colour from dark violet over orange to light yellow: lighter in grey too.
    private static func heat(_ part: Double) -> Canvas.Color {
        let stops: [(Double, Double, Double)] = [
            (0.05, 0.03, 0.20), (0.55, 0.10, 0.45), (0.95, 0.45, 0.20), (1.0, 0.95, 0.55),
        ]
        let position = min(1, max(0, part)) * Double(stops.count - 1)
        let index = min(stops.count - 2, Int(position))
        let (a, b, t) = (stops[index], stops[index + 1], position - Double(index))
        return Canvas.Color(
            red: a.0 + t * (b.0 - a.0), green: a.1 + t * (b.1 - a.1), blue: a.2 + t * (b.2 - a.2))
    }
}
