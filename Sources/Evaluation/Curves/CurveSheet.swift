import Families
import Foundation
import Terminal

/// One quantity of one or several runs: a panel for each stage, all runs in it.
struct CurveSheet {
    /// Points of the picture.
    private static let (panel, height, top) = (340.0, 250.0, 56.0)
    private static let (left, gap, bottom) = (64.0, 66.0, 52.0)
    /// The legend's distance, its texts' distance from its lines, and the height of letters.
    private static let legend = (gap: 16.0, text: 36.0, size: 11.0)
    private static let pixels = 2

    let quantity: Quantity
    private let runs: [RunLog]
    private let stages: [String]
    /// The weight of smoothing; nil: by the number of points.
    private let weight: Double?

    /// Lays out the stages in which some run has the quantity; nil where none has.
    init?(_ quantity: Quantity, of runs: [RunLog], weight: Double?) {
        (self.quantity, self.runs, self.weight) = (quantity, runs, weight)
        var stages: [String] = []
        for stage in runs.flatMap(\.stages) where !stages.contains(stage.name) {
            let hasCurve = quantity.keys.contains { !stage.curve($0).isEmpty }
            if hasCurve { stages.append(stage.name) }
        }
        // Stages that are known in the order in which they are trained.
        let order = Families.stageNames
        self.stages = stages.enumerated().sorted { a, b in
            (order.firstIndex(of: a.element) ?? order.count, a.offset)
                < (order.firstIndex(of: b.element) ?? order.count, b.offset)
        }.map(\.element)
        if stages.isEmpty { return nil }
    }

    /// What it shows.
    var title: String {
        quantity.title + (quantity.isSmoothed ? ": smoothed, and as logged (thin)" : "")
            + (quantity.keys.count > 1 ? "; marked: development images" : "")
            + (hasAverages ? " (hollow: averaged weights)" : "")
    }

    /// Whether some run has scored its averaged weights.
    private var hasAverages: Bool {
        quantity.keys.dropFirst(2).contains { key in
            runs.contains { $0.stages.contains { !$0.curve(key).isEmpty } }
        }
    }

    private var width: Int {
        let panels = Double(stages.count)
        let names = runs.map { Canvas.width(of: $0.name, size: Self.legend.size) }.max() ?? 0
        let all =
            Self.left + Self.panel * panels + Self.gap * (panels - 1) + Self.legend.gap
            + Self.legend.text + names + 10
        return Int(max(all, 40 + Canvas.width(of: title, size: 14)).rounded(.up))
    }

    private static var wholeHeight: Int { Int(top + height + bottom) }

    /// The sheet as an SVG file.
    func svg() throws(RequestError) -> Data {
        try draw(Canvas(vectorWidth: width, height: Self.wholeHeight))
    }

    /// The sheet as a PNG file.
    func png() throws(RequestError) -> Data {
        try draw(Canvas(width: width, height: Self.wholeHeight, scale: Self.pixels))
    }

    private func draw(_ canvas: Canvas?) throws(RequestError) -> Data {
        guard let canvas else { throw ContactSheet.noMemory }
        canvas.label(title, at: Canvas.Point(x: 14, y: 18), size: 13, anchor: .start)
        canvas.useFont(isBold: false)
        for (index, stage) in stages.enumerated() {
            let box = Canvas.Box(
                x: Self.left + (Self.panel + Self.gap) * Double(index), y: Self.top,
                width: Self.panel, height: Self.height)
            draw(stage, in: box, canvas)
        }
        let left = Self.left + (Self.panel + Self.gap) * Double(stages.count) - Self.gap
        for (index, run) in runs.enumerated() {
            let style = Plot.Style.model(index)
            let (x, y) = (left + Self.legend.gap, Self.top + 8 + 20 * Double(index))
            canvas.line(
                [Canvas.Point(x: x, y: y), Canvas.Point(x: x + 30, y: y)], style.color,
                width: 2, dashes: style.dashes)
            canvas.label(
                run.name, at: Canvas.Point(x: x + Self.legend.text, y: y), size: Self.legend.size,
                anchor: .start)
        }
        return try canvas.encoded()
    }

    /// The lines of one run in one stage.
    private struct Lines {
        let style: Plot.Style
        let raw: [Curve.Point]
        let smoothed: [Curve.Point]
        let marked: [Curve.Point]
        /// The accuracy of the averaged weights.
        let averaged: [Curve.Point]
    }

    private func lines(_ stage: String) -> [Lines] {
        runs.enumerated().compactMap { index, run in
            guard let stage = run.stages.first(where: { $0.name == stage }) else { return nil }
            func curve(_ key: String) -> Curve {
                Curve(
                    points: stage.curve(key).map {
                        Curve.Point(x: $0.x, y: quantity.factor * $0.y)
                    })
            }
            let main = curve(quantity.keys[0])
            let smoothed =
                quantity.isSmoothed
                ? main.smoothed(weight: weight ?? Curve.weight(count: main.points.count))
                : main.points
            return Lines(
                style: .model(index), raw: quantity.isSmoothed ? Curve.thinned(main.points) : [],
                smoothed: Curve.thinned(smoothed),
                marked: quantity.keys.dropFirst().prefix(1).flatMap { curve($0).points },
                averaged: quantity.keys.dropFirst(2).flatMap { curve($0).points })
        }
    }

    private func draw(_ stage: String, in box: Canvas.Box, _ canvas: Canvas) {
        let lines = lines(stage)
        let all = lines.flatMap { $0.raw + $0.smoothed + $0.marked + $0.averaged }
        let (first, last) = (all.map(\.x).min() ?? 0, all.map(\.x).max() ?? 1)
        // A run that took its stage up in the middle has its own begin.
        let x = Ticks(first > last / 3 ? first : 0, last, count: 5)
        // Single values far out must not press the rest flat; they leave the panel.
        let sorted = all.map(\.y).sorted()
        let cut = sorted.count / 200
        let ends = (sorted[cut], sorted[sorted.count - 1 - cut])
        let lowest = quantity.startsAtZero ? min(0, ends.0) : ends.0
        let y = Ticks(lowest, max(ends.1, lowest + 1e-6), count: 5)
        func place(_ point: Curve.Point) -> Canvas.Point {
            Canvas.Point(
                x: box.x + box.width * (point.x - x.range.lowerBound)
                    / (x.range.upperBound - x.range.lowerBound),
                y: box.y + box.height
                    * (1 - (point.y - y.range.lowerBound)
                        / (y.range.upperBound - y.range.lowerBound))
            )
        }
        axes(stage, x, y, box, canvas, place)
        canvas.clip(box) {
            for line in lines {
                canvas.line(
                    line.raw.map(place), line.style.color.lighter, width: 0.7)
            }
            // The first run lies on top.
            for line in lines.reversed() {
                canvas.line(
                    line.smoothed.map(place), line.style.color, width: 1.9,
                    dashes: line.style.dashes)
            }
        }
        for line in lines.reversed() {
            canvas.line(line.marked.map(place), line.style.color, width: 0.8, dashes: [2, 3])
            for point in line.marked {
                canvas.mark(
                    line.style.marker ?? .circle, at: place(point), line.style.color, radius: 3.4)
            }
            canvas.line(line.averaged.map(place), line.style.color, width: 0.8, dashes: [5, 2])
            for point in line.averaged {
                for (color, radius) in [(line.style.color, 3.8), (Canvas.Color.white, 1.9)] {
                    canvas.mark(
                        line.style.marker ?? .circle, at: place(point), color, radius: radius)
                }
            }
        }
    }

    private func axes(
        _ stage: String, _ x: Ticks, _ y: Ticks, _ box: Canvas.Box, _ canvas: Canvas,
        _ place: (Curve.Point) -> Canvas.Point
    ) {
        let (right, bottom) = (box.x + box.width, box.y + box.height)
        for value in y.values {
            let level = place(Curve.Point(x: 0, y: value)).y
            canvas.line(
                [Canvas.Point(x: box.x, y: level), Canvas.Point(x: right, y: level)], .grid,
                width: 0.8)
            canvas.label(
                Ticks.text(value), at: Canvas.Point(x: box.x - 7, y: level), size: 11, anchor: .end)
        }
        for value in x.values {
            let column = place(Curve.Point(x: value, y: 0)).x
            canvas.line(
                [Canvas.Point(x: column, y: bottom), Canvas.Point(x: column, y: bottom + 4)], .ink,
                width: 0.8)
            canvas.label(
                Ticks.text(value), at: Canvas.Point(x: column, y: bottom + 14), size: 11,
                anchor: .middle)
        }
        canvas.line(
            [
                Canvas.Point(x: box.x, y: box.y), Canvas.Point(x: box.x, y: bottom),
                Canvas.Point(x: right, y: bottom),
            ], .ink, width: 1)
        canvas.label(
            "Epochs of stage \(stage)", at: Canvas.Point(x: box.x + box.width / 2, y: bottom + 36),
            size: 12, anchor: .middle)
    }
}

extension Canvas.Color {
    /// Two thirds of the way to white.
    fileprivate var lighter: Canvas.Color {
        func mixed(_ part: Double) -> Double { (part + 2) / 3 }
        return Canvas.Color(red: mixed(red), green: mixed(green), blue: mixed(blue))
    }
}
