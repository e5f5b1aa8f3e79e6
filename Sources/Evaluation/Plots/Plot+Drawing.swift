import Foundation
import Terminal

extension Plot {
    /// Points of the whole picture and of the part inside the axes.
    private static let (leastWidth, height) = (640, 420)
    private static let inside = Canvas.Box(x: 62, y: 38, width: 400, height: 318)
    /// Pixels of a point in PNG files.
    private static let pixels = 2
    /// The legend's left end, the texts' distance from it and the height of their letters.
    private static let legend = (left: inside.x + inside.width + 14, text: 36.0, size: 11.0)

    /// Wide enough for the longest name in the legend.
    private var width: Int {
        let names = lines.map { Canvas.width(of: $0.name, size: Self.legend.size) }
        let need = Self.legend.left + Self.legend.text + (names.max() ?? 0) + 8
        return max(Self.leastWidth, Int(need.rounded(.up)))
    }

    /// The plot as an SVG file.
    func svg() throws(RequestError) -> Data {
        try draw(Canvas(vectorWidth: width, height: Self.height))
    }

    /// The plot as a PNG file.
    func png() throws(RequestError) -> Data {
        try draw(Canvas(width: width, height: Self.height, scale: Self.pixels))
    }

    private func draw(_ canvas: Canvas?) throws(RequestError) -> Data {
        guard let canvas else { throw ContactSheet.noMemory }
        let all = lines.flatMap(\.points)
        let most = all.map(\.x).max() ?? 1
        let x = countsGlimpses ? Ticks(glimpses: Int(most)) : Ticks(0, most)
        let lowest = all.map(\.low).min() ?? 0
        let y = Ticks(min(0, lowest), max(all.map(\.high).max() ?? 1, lowest + 1e-6))
        canvas.useFont(isBold: false)
        let box = Self.inside
        func place(_ px: Double, _ py: Double) -> Canvas.Point {
            let (right, up) = (
                (px - x.range.lowerBound) / (x.range.upperBound - x.range.lowerBound),
                (py - y.range.lowerBound) / (y.range.upperBound - y.range.lowerBound)
            )
            return Canvas.Point(x: box.x + box.width * right, y: box.y + box.height * (1 - up))
        }
        axes(x, y, place, canvas)
        canvas.clip(box) {
            for line in lines where line.points.count > 1 {
                let upper = line.points.map { place($0.x, $0.high) }
                let lower = line.points.reversed().map { place($0.x, $0.low) }
                canvas.area(upper + lower, line.style.color, opacity: 0.15)
            }
        }
        // The first line is the one that the plot is about: it lies on top.
        for line in lines.reversed() {
            let places = line.points.map { place($0.x, $0.y) }
            canvas.line(places, line.style.color, width: 1.8, dashes: line.style.dashes)
            guard let marker = line.style.marker else { continue }
            for place in places { canvas.mark(marker, at: place, line.style.color, radius: 3.4) }
        }
        legend(canvas)
        return try canvas.encoded()
    }

    private func axes(
        _ x: Ticks, _ y: Ticks, _ place: (Double, Double) -> Canvas.Point, _ canvas: Canvas
    ) {
        let box = Self.inside
        let (left, right) = (box.x, box.x + box.width)
        let (top, bottom) = (box.y, box.y + box.height)
        for value in y.values {
            let level = place(x.range.lowerBound, value).y
            canvas.line(
                [Canvas.Point(x: left, y: level), Canvas.Point(x: right, y: level)], .grid,
                width: 0.8)
            canvas.label(
                Ticks.text(value), at: Canvas.Point(x: left - 7, y: level), size: 11, anchor: .end)
        }
        for value in x.values {
            let column = place(value, y.range.lowerBound).x
            canvas.line(
                [Canvas.Point(x: column, y: bottom), Canvas.Point(x: column, y: bottom + 4)], .ink,
                width: 0.8)
            canvas.label(
                Ticks.text(value), at: Canvas.Point(x: column, y: bottom + 14), size: 11,
                anchor: .middle)
        }
        canvas.line(
            [
                Canvas.Point(x: left, y: top), Canvas.Point(x: left, y: bottom),
                Canvas.Point(x: right, y: bottom),
            ], .ink, width: 1)
        canvas.label(
            xTitle, at: Canvas.Point(x: (left + right) / 2, y: bottom + 38), size: 12.5,
            anchor: .middle)
        canvas.label(
            yTitle, at: Canvas.Point(x: 18, y: (top + bottom) / 2), size: 12.5, anchor: .middle,
            isVertical: true)
        canvas.useFont(isBold: true)
        canvas.label(title, at: Canvas.Point(x: left, y: 18), size: 13, anchor: .start)
        canvas.useFont(isBold: false)
    }

    private func legend(_ canvas: Canvas) {
        let left = Self.legend.left
        for (index, line) in lines.enumerated() {
            let y = Self.inside.y + 8 + 20 * Double(index)
            canvas.line(
                [Canvas.Point(x: left, y: y), Canvas.Point(x: left + 30, y: y)],
                line.style.color, width: 1.8, dashes: line.style.dashes)
            if let marker = line.style.marker {
                canvas.mark(
                    marker, at: Canvas.Point(x: left + 15, y: y), line.style.color, radius: 3.4)
            }
            canvas.label(
                line.name, at: Canvas.Point(x: left + Self.legend.text, y: y),
                size: Self.legend.size, anchor: .start)
        }
    }
}
