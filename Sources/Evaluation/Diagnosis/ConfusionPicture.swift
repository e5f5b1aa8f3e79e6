import Foundation
import Terminal

/// The confusion matrix; of many classes the most frequent confusions instead.
struct ConfusionPicture {
    /// The sides of a cell, and letters' height.
    private static let (cell, letter) = (34.0, 11.0)
    /// The lengths of a bar of 100 % and the height of its row.
    private static let (bar, row) = (360.0, 22.0)
    private static let margin = 14.0
    private static let pixels = 2
    /// Longer words are made smaller.
    private static let mostWord = 220.0

    /// The name of its files.
    static let name = "confusions"

    let classification: Classification

    /// What it shows.
    var title: String {
        classification.confusionMatrix == nil
            ? "The most frequent confusions (\(classification.what))"
            : "Confusion matrix (\(classification.what))"
    }

    /// The picture as an SVG file.
    func svg() throws(RequestError) -> Data {
        let size = size
        return try draw(Canvas(vectorWidth: Int(size.width), height: Int(size.height)))
    }

    /// The picture as a PNG file.
    func png() throws(RequestError) -> Data {
        let size = size
        return try draw(
            Canvas(width: Int(size.width), height: Int(size.height), scale: Self.pixels))
    }

    /// The classes of the matrix: those that have images or predictions.
    private var labels: [Int] {
        classification.classes.indices.filter {
            classification.classes[$0].images > 0 || classification.classes[$0].predictedCount > 0
        }
    }

    private var pairs: [String] {
        classification.worstConfusions.map(classification.words)
    }

    /// How far the longest word reaches.
    private func reach(_ words: [String], most: Double = mostWord) -> Double {
        min(most, words.map { Canvas.width(of: $0, size: Self.letter) }.max() ?? 0)
    }

    private var pairReach: Double { reach(pairs, most: 2 * Self.mostWord) }

    private var size: (width: Double, height: Double) {
        let titleWidth = Canvas.width(of: title, size: 13) * 1.15 + 2 * Self.margin
        if classification.confusionMatrix == nil {
            let width = pairReach + Self.bar + 120 + 2 * Self.margin
            return (
                max(width, titleWidth), 60 + Self.row * Double(max(1, pairs.count)) + Self.margin
            )
        }
        let side = Self.cell * Double(labels.count)
        let words = reach(labels.map { classification.classes[$0].words })
        return (
            max(titleWidth, 2 * Self.margin + 30 + words + side),
            50 + side + words + 30 + Self.margin
        )
    }

    private func draw(_ canvas: Canvas?) throws(RequestError) -> Data {
        guard let canvas else { throw ContactSheet.noMemory }
        canvas.label(title, at: Canvas.Point(x: Self.margin, y: 18), size: 13, anchor: .start)
        canvas.useFont(isBold: false)
        if let matrix = classification.confusionMatrix {
            draw(matrix, canvas)
        } else {
            drawPairs(canvas)
        }
        return try canvas.encoded()
    }

    private func draw(_ matrix: [[Int]], _ canvas: Canvas) {
        let labels = labels
        let words = labels.map { classification.classes[$0].words }
        let (left, top) = (Self.margin + 30 + reach(words), 40.0)
        let side = Self.cell * Double(labels.count)
        for (row, label) in labels.enumerated() {
            let y = top + Self.cell * Double(row)
            let total = max(1, matrix[label].reduce(0, +))
            word(words[row], at: Canvas.Point(x: left - 6, y: y + Self.cell / 2), canvas)
            for (column, predicted) in labels.enumerated() {
                let count = matrix[label][predicted]
                let part = Double(count) / Double(total)
                let box = Canvas.Box(
                    x: left + Self.cell * Double(column), y: y, width: Self.cell,
                    height: Self.cell)
                canvas.fill(box, label == predicted ? .right : .wrong, opacity: part)
                canvas.frame(box, .grid, width: 0.8)
                guard count > 0 else { continue }
                canvas.text(
                    "\(count)", x: box.x + Self.cell / 2, y: y + Self.cell / 2, size: Self.letter,
                    color: part > 0.5 ? .white : .ink, hasRim: false, maxWidth: Self.cell - 4)
            }
        }
        for (column, name) in words.enumerated() {
            let x = left + Self.cell * (Double(column) + 0.5)
            word(name, at: Canvas.Point(x: x, y: top + side + 6), canvas, isVertical: true)
        }
        canvas.label(
            "Class of the image", at: Canvas.Point(x: Self.margin + 6, y: top + side / 2),
            size: 12.5, anchor: .middle, isVertical: true)
        canvas.label(
            "Predicted class",
            at: Canvas.Point(x: left + side / 2, y: top + side + reach(words) + 26), size: 12.5,
            anchor: .middle)
    }

    private func drawPairs(_ canvas: Canvas) {
        let names = pairs
        let left = Self.margin + pairReach + 8
        for (index, confusion) in classification.worstConfusions.enumerated() {
            let y = 48 + Self.row * (Double(index) + 0.5)
            word(names[index], at: Canvas.Point(x: left - 8, y: y), canvas, most: 2)
            canvas.fill(
                Canvas.Box(x: left, y: y - 7, width: Self.bar * confusion.part, height: 14),
                .wrong, opacity: 0.75)
            let part = EvaluationReport.percent(confusion.part, nil)
            canvas.label(
                "\(confusion.count) (\(part) % of the class)",
                at: Canvas.Point(x: left + Self.bar * confusion.part + 6, y: y),
                size: Self.letter, anchor: .start)
        }
        if names.isEmpty {
            canvas.label(
                "none", at: Canvas.Point(x: Self.margin, y: 54), size: Self.letter,
                anchor: .start)
        }
    }

    /// A word that ends at a point, smaller where it is long.
    private func word(
        _ text: String, at point: Canvas.Point, _ canvas: Canvas, isVertical: Bool = false,
        most: Double = 1
    ) {
        let width = Canvas.width(of: text, size: Self.letter)
        canvas.label(
            text, at: point, size: Self.letter * min(1, most * Self.mostWord / max(1, width)),
            anchor: .end, isVertical: isVertical)
    }
}
