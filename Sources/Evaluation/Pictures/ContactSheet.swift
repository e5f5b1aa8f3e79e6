import Foundation
import Images
import Models
import Terminal

/// Images side by side with a policy's first glimpses: numbered windows, the rest dimmed, a green
/// frame where the averaged logits are right and a red one where they are wrong.
public struct ContactSheet {
    private static let columns = 6
    /// Sides of the margin, the frame and the line of words below an image, in pixels.
    private static let (margin, frame, caption) = (12.0, 5.0, 24.0)

    private let pictured: [PicturedImage]
    private let policy: Policy
    private let glimpses: Int
    private let classes: [String]

    /// Lays out `pictured`, each with a policy's first `glimpses` glimpses.
    ///
    /// - Parameter classes: The word for each label.
    public init(
        _ pictured: [PicturedImage], policy: Policy, glimpses: Int, classes: [String]
    ) {
        (self.pictured, self.policy, self.glimpses) = (pictured, policy, glimpses)
        self.classes = classes
    }

    /// The sheet as a PNG file; nil without images.
    func png() throws(RequestError) -> Data? {
        guard let first = pictured.first else { return nil }
        let size = first.pixels.width
        // At least 192 pixels a side: whole pixels, so that none is blurred.
        let scale = max(1, (191 + size) / size)
        let side = Double(size * scale)
        let columns = min(Self.columns, pictured.count)
        let rows = (pictured.count + columns - 1) / columns
        let (stepX, stepY) = (
            side + 2 * Self.margin, side + 2 * Self.margin + Self.caption
        )
        guard
            let canvas = Canvas(
                width: Int(stepX) * columns, height: Int(stepY) * rows)
        else { throw Self.noMemory }
        for (index, image) in pictured.enumerated() {
            draw(
                image, on: canvas, x: stepX * Double(index % columns) + Self.margin,
                y: stepY * Double(index / columns) + Self.margin, scale: Double(scale))
        }
        return try canvas.encoded()
    }

    static let noMemory = RequestError(
        "no memory for a sheet of pictures; ask for fewer with --pictures",
        exitCode: .internalError)

    private func draw(
        _ image: PicturedImage, on canvas: Canvas, x: Double, y: Double, scale: Double
    ) {
        guard let sequence = image.sequences[policy] else { return }
        let side = Double(image.pixels.width) * scale
        let picture = Canvas.Box(x: x, y: y, width: side, height: side)
        let seen = sequence.windows.prefix(glimpses)
        let windows = seen.map { $0.box(x: x, y: y, scale: scale) }
        canvas.image(image.pixels, x: x, y: y, scale: scale)
        canvas.dim(picture, except: windows)
        // What was seen before in low resolution is drawn thin, within the picture.
        for window in sequence.context {
            canvas.frame(
                window.box(x: x, y: y, scale: scale, within: image.pixels.width), .glimpse,
                width: 0.5)
        }
        for window in windows { canvas.frame(window, .glimpse, width: 1.5) }
        let centers = seen.map {
            Canvas.Point(x: x + $0.center.x * scale, y: y + $0.center.y * scale)
        }
        if sequence.showsPath { canvas.line(centers, .white, width: 1) }
        for (number, center) in centers.enumerated() {
            canvas.text(
                "\(number + 1)", x: center.x, y: center.y, size: 15, color: .glimpse,
                hasRim: true)
        }
        let prediction = sequence.predictions[max(0, seen.count - 1)]
        let isRight = prediction == image.label
        canvas.frame(
            Canvas.Box(
                x: x - Self.frame / 2, y: y - Self.frame / 2, width: side + Self.frame,
                height: side + Self.frame),
            isRight ? .right : .wrong, width: Self.frame)
        let words =
            isRight
            ? "\(word(prediction)): right" : "\(word(prediction)), is \(word(image.label))"
        canvas.text(
            words, x: x + side / 2, y: y + side + Self.caption * 0.75, size: 14,
            color: isRight ? .right : .wrong, hasRim: false, maxWidth: side + Self.margin)
    }

    private func word(_ label: Int) -> String {
        classes.indices.contains(label) ? classes[label] : "class \(label)"
    }
}
