import Foundation
import Images
import Models
import Terminal

/// A picture at its own resolution, small ones enlarged by a whole number, with the glimpses that
/// were taken: what none saw is dimmed, the part that the network was shown is framed, and below
/// stands what the model says.
struct PredictedPicture {
    /// The shorter side that lines and numbers need.
    private static let leastSide = 480
    /// The longest side that can be drawn.
    private static let mostSide = 32_000
    /// Letters that are always readable, in pixels.
    private static let leastLetter = 13.0

    private let pixels: Pixels
    private let answer: Prediction.Answer
    private let scale: Double
    /// The height of letters.
    private let letter: Double

    init(_ pixels: Pixels, answer: Prediction.Answer) {
        (self.pixels, self.answer) = (pixels, answer)
        let (short, long) = (
            min(pixels.height, pixels.width), max(pixels.height, pixels.width)
        )
        let enlarged = max(1, (Self.leastSide + short - 1) / short)
        scale =
            long * enlarged <= Self.mostSide
            ? Double(enlarged) : min(1, Double(Self.mostSide) / Double(long))
        letter = max(Self.leastLetter, Double(short) * scale / 36)
    }

    /// The words below: what it is, and what the network was shown.
    private var captions: [String] {
        let words = answer.candidates.map {
            String(format: "%@ %.1f %%", $0.name.title, 100 * $0.part)
        }
        let crop = answer.crop
        let shown = String(
            format: "%.0f×%.0f pixels at (%.0f, %.0f), shown to the network as %d×%d",
            crop.box.width, crop.box.height, crop.box.x, crop.box.y, crop.size, crop.size)
        let seen =
            answer.glimpses == 0
            ? shown
            : String(
                format: "%@ saw %.1f %% of %@", answer.glimpsesInWords, 100 * answer.coverage,
                shown)
        return [words.joined(separator: " · "), seen]
    }

    /// The picture as a PNG file.
    func png() throws(RequestError) -> Data {
        let (width, height) = (Double(pixels.width) * scale, Double(pixels.height) * scale)
        let words = captions
        let strip = letter * (0.8 + 1.5 * Double(words.count))
        guard
            let canvas = Canvas(
                width: Int(width.rounded(.up)), height: Int((height + strip).rounded(.up)))
        else { throw ContactSheet.noMemory }
        canvas.image(pixels, x: 0, y: 0, scale: scale)
        let line = max(1.5, letter / 8)
        func scaled(_ box: Canvas.Box) -> Canvas.Box {
            Canvas.Box(
                x: box.x * scale, y: box.y * scale, width: box.width * scale,
                height: box.height * scale)
        }
        let crop = scaled(
            Canvas.Box(
                x: answer.crop.box.x, y: answer.crop.box.y, width: answer.crop.box.width,
                height: answer.crop.box.height))
        let windows = answer.windows.map(answer.box).map(scaled)
        let whole = Canvas.Box(x: 0, y: 0, width: width, height: height)
        canvas.clip(whole) {
            // A model without glimpses has seen all that it was shown.
            canvas.dim(whole, except: windows.isEmpty ? [crop] : windows)
            canvas.dashedFrame(crop, line: line)
            canvas.clip(crop) {
                for window in answer.context {
                    canvas.frame(scaled(answer.box(window)), .glimpse, width: line / 2)
                }
            }
            for window in windows { canvas.frame(window, .glimpse, width: line) }
            let centers = windows.map {
                Canvas.Point(x: $0.x + $0.width / 2, y: $0.y + $0.height / 2)
            }
            if answer.showsPath { canvas.line(centers, .white, width: line * 0.7) }
            for (number, center) in centers.enumerated() {
                canvas.text(
                    "\(number + 1)", x: center.x, y: center.y, size: letter * 1.2,
                    color: .glimpse, hasRim: true)
            }
        }
        for (row, text) in words.enumerated() {
            canvas.text(
                text, x: width / 2, y: height + letter * (1.15 + 1.5 * Double(row)), size: letter,
                color: .ink, hasRim: false, maxWidth: width - letter)
        }
        return try canvas.encoded()
    }
}

extension Canvas {
    /// A frame of dashes, white on black, that is seen on any picture.
    fileprivate func dashedFrame(_ box: Box, line width: Double) {
        let inset = width / 2
        let (left, top) = (box.x + inset, box.y + inset)
        let (right, bottom) = (box.x + box.width - inset, box.y + box.height - inset)
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
            .map { Point(x: $0.0, y: $0.1) }
        line(corners, .black, width: width)
        line(corners, .white, width: width, dashes: [4 * width, 4 * width])
    }
}
