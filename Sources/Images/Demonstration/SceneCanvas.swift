/// What a scene is painted on: RGB values, about 0–1, `scale` pixels a side for each point of the grid.
struct SceneCanvas: Sendable {
    private let scale: Int
    private let side: Int
    /// `[side, side, 3]`.
    private var values: [Float]

    init(background: SceneBackground, scale: Int) {
        (self.scale, side) = (scale, Scene.side * scale)
        values = []
        values.reserveCapacity(side * side * 3)
        for y in 0..<side {
            for x in 0..<side {
                let point = (y / scale * Scene.side + x / scale) * 3
                values += background.values[point..<point + 3]
            }
        }
    }

    /// Lays a cut-out of a digit over the canvas, enlarged by bilinear interpolation.
    mutating func draw(_ stroke: SceneStroke, digits: Digits) {
        for y in 0..<stroke.side * scale {
            for x in 0..<stroke.side * scale {
                let cover = cover(stroke, y: y, x: x, digits: digits)
                for channel in 0..<3 {
                    let place =
                        ((stroke.to.y * scale + y) * side + stroke.to.x * scale + x) * 3 + channel
                    values[place] += cover * (stroke.color[channel] - values[place])
                }
            }
        }
    }

    /// How much of the canvas a cut-out hides at pixel (y, x) of it, 0–1.
    private func cover(_ stroke: SceneStroke, y: Int, x: Int, digits: Digits) -> Float {
        let (row, column) = (neighbours(stroke.from.y, y), neighbours(stroke.from.x, x))
        func value(_ y: Int, _ x: Int) -> Float {
            digits.value(digit: stroke.digit, index: stroke.index, y: y, x: x)
        }
        func between(_ first: Float, _ second: Float, _ part: Float) -> Float {
            first + part * (second - first)
        }
        return between(
            between(
                value(row.first, column.first), value(row.first, column.second), column.part),
            between(
                value(row.second, column.first), value(row.second, column.second), column.part),
            row.part)
    }

    /// The two pixels of a digit's image between whose centres that of a pixel of the canvas lies, and how far it is
    /// from the first to the second.
    private func neighbours(_ from: Int, _ pixel: Int) -> (first: Int, second: Int, part: Float) {
        let place = Float(from) + (Float(pixel) + 0.5) / Float(scale) - 0.5
        let first = Int(place.rounded(.down))
        let last = Digits.side - 1
        return (min(max(first, 0), last), min(max(first + 1, 0), last), place - Float(first))
    }

    /// Adds to the pixels of each point of the grid what makes their mean that of the small canvas.
    mutating func shift(toMeansOf small: SceneCanvas) {
        let share = 1 / Float(scale * scale)
        for y in 0..<Scene.side {
            for x in 0..<Scene.side {
                for channel in 0..<3 {
                    let places = (0..<scale * scale).map { pixel in
                        ((y * scale + pixel / scale) * side + x * scale + pixel % scale) * 3
                            + channel
                    }
                    let mean = places.reduce(Float(0)) { $0 + values[$1] } * share
                    let difference =
                        small.values[(y * Scene.side + x) * 3 + channel] - mean
                    for place in places { values[place] += difference }
                }
            }
        }
    }

    var pixels: Pixels {
        Pixels(
            height: side, width: side,
            bytes: values.map { UInt8((min(1, max(0, $0)) * 255).rounded()) })
    }
}
