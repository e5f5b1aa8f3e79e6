import Tensors

/// One image of the demonstration: two digits among clutter, 64×64 pixels.
struct Scene: Sendable {
    static let side = 64
    /// The side of the square in which a digit lies: the centre of the 28×28 image.
    static let digitSide = 20
    static let digitMargin = 4
    /// The least distance of a digit's square from the border, in pixels. The windows of the
    /// demonstration's 11×11 locations see pixels 0–60 of each side: no digit is cut off there, and
    /// digits lie alike on all sides.
    static let border = 3
    static let fragmentSide = 7
    static let fragmentCount = 6
    /// The least distance of the two digits' centres, in pixels.
    static let leastDistance = 22

    /// The classes: unordered pairs of different digits of 0–4.
    static let pairs: [(Int, Int)] = (0..<5).flatMap { a in (a + 1..<5).map { (a, $0) } }

    let pixels: Pixels
    /// The centres of the two digits, (y, x) in pixels.
    let places: [(y: Int, x: Int)]

    /// Composes a scene of the pair `pairs[pair]`.
    ///
    /// - Parameters:
    ///   - part: Which digits of each class are used; the subsets share none.
    ///   - random: The scene's own numbers.
    init(pair: Int, digits: Digits, part: Range<Int>, random: inout CounterRandom) {
        var canvas = Canvas(random: &random)
        for _ in 0..<Self.fragmentCount {
            let digit = Int.random(in: 0..<10, using: &random)
            let index = Int.random(in: part, using: &random)
            let cut = Self.digitSide - Self.fragmentSide
            let fromY = Self.digitMargin + Int.random(in: 0...cut, using: &random)
            let fromX = Self.digitMargin + Int.random(in: 0...cut, using: &random)
            let y = Int.random(in: 0...(Self.side - Self.fragmentSide), using: &random)
            let x = Int.random(in: 0...(Self.side - Self.fragmentSide), using: &random)
            canvas.draw(
                digits, digit: digit, index: index, from: (fromY, fromX), to: (y, x),
                side: Self.fragmentSide, color: Canvas.brightColor(&random))
        }
        let (first, second) = Self.pairs[pair]
        // Both places anew until they are far enough apart: a first one in the middle leaves no
        // second.
        let room = Self.border...(Self.side - Self.digitSide - Self.border)
        var corners: [(y: Int, x: Int)]
        repeat {
            corners = (0..<2).map { _ in
                (Int.random(in: room, using: &random), Int.random(in: room, using: &random))
            }
        } while max(abs(corners[0].y - corners[1].y), abs(corners[0].x - corners[1].x))
            < Self.leastDistance
        for (digit, (y, x)) in zip([first, second], corners) {
            let index = Int.random(in: part, using: &random)
            canvas.draw(
                digits, digit: digit, index: index, from: (Self.digitMargin, Self.digitMargin),
                to: (y, x), side: Self.digitSide, color: Canvas.brightColor(&random))
        }
        places = corners.map { ($0.y + Self.digitSide / 2, $0.x + Self.digitSide / 2) }
        pixels = canvas.pixels
    }
}

/// What a scene is painted on: RGB values 0–1.
private struct Canvas {
    private static let blockSide = 16
    private static let darkest: Float = 0.35
    private static let noise: Float = 0.04
    private var values: [Float]

    /// A coarse dark background, 4×4 blocks of random colour with mild noise.
    init(random: inout CounterRandom) {
        let blocks = Scene.side / Self.blockSide
        let colors = (0..<(blocks * blocks * 3)).map { _ in
            Float.random(in: 0...Self.darkest, using: &random)
        }
        values = []
        for y in 0..<Scene.side {
            for x in 0..<Scene.side {
                let block = y / Self.blockSide * blocks + x / Self.blockSide
                for channel in 0..<3 {
                    values.append(
                        colors[block * 3 + channel]
                            + Float.random(in: -Self.noise...Self.noise, using: &random))
                }
            }
        }
    }

    static func brightColor(_ random: inout CounterRandom) -> [Float] {
        (0..<3).map { _ in Float.random(in: 0.5...1, using: &random) }
    }

    /// Lays a square cut-out of a digit over the canvas.
    mutating func draw(
        _ digits: Digits, digit: Int, index: Int, from: (y: Int, x: Int), to: (y: Int, x: Int),
        side: Int, color: [Float]
    ) {
        for y in 0..<side {
            for x in 0..<side {
                let cover = digits.value(
                    digit: digit, index: index, y: from.y + y, x: from.x + x)
                for channel in 0..<3 {
                    let place = ((to.y + y) * Scene.side + to.x + x) * 3 + channel
                    values[place] += cover * (color[channel] - values[place])
                }
            }
        }
    }

    var pixels: Pixels {
        Pixels(
            height: Scene.side, width: Scene.side,
            bytes: values.map { UInt8((min(1, max(0, $0)) * 255).rounded()) })
    }
}
