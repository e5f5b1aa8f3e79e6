import Tensors

/// One image of the demonstration: two digits among clutter, composed on a grid of 64×64 points and drawn at 64 or
/// 128 pixels.
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

    private let background: SceneBackground
    private let strokes: [SceneStroke]
    private let corners: [(y: Int, x: Int)]

    /// Composes a scene of the pair `pairs[pair]`.
    ///
    /// - Parameters:
    ///   - part: Which digits of each class are used; the subsets share none.
    ///   - random: The scene's own numbers.
    init(pair: Int, part: Range<Int>, random: inout CounterRandom) {
        background = SceneBackground(random: &random)
        var strokes: [SceneStroke] = []
        for _ in 0..<Self.fragmentCount {
            let digit = Int.random(in: 0..<10, using: &random)
            let index = Int.random(in: part, using: &random)
            let cut = Self.digitSide - Self.fragmentSide
            let fromY = Self.digitMargin + Int.random(in: 0...cut, using: &random)
            let fromX = Self.digitMargin + Int.random(in: 0...cut, using: &random)
            let y = Int.random(in: 0...(Self.side - Self.fragmentSide), using: &random)
            let x = Int.random(in: 0...(Self.side - Self.fragmentSide), using: &random)
            strokes.append(
                SceneStroke(
                    digit: digit, index: index, from: (fromY, fromX), to: (y, x),
                    side: Self.fragmentSide, color: SceneStroke.brightColor(&random)))
        }
        let (first, second) = Self.pairs[pair]
        // Both places anew until they are far enough apart: a first one in the middle leaves no
        // second.
        let range = Self.border...(Self.side - Self.digitSide - Self.border)
        var corners: [(y: Int, x: Int)]
        repeat {
            corners = (0..<2).map { _ in
                (Int.random(in: range, using: &random), Int.random(in: range, using: &random))
            }
        } while max(abs(corners[0].y - corners[1].y), abs(corners[0].x - corners[1].x))
            < Self.leastDistance
        for (digit, corner) in zip([first, second], corners) {
            let index = Int.random(in: part, using: &random)
            strokes.append(
                SceneStroke(
                    digit: digit, index: index, from: (Self.digitMargin, Self.digitMargin),
                    to: corner, side: Self.digitSide, color: SceneStroke.brightColor(&random)))
        }
        (self.strokes, self.corners) = (strokes, corners)
    }

    /// The centres of the two digits in the picture of a size, (y, x) in its pixels.
    func places(at size: SceneSize) -> [(y: Int, x: Int)] {
        corners.map {
            (
                ($0.y + Self.digitSide / 2) * size.scale,
                ($0.x + Self.digitSide / 2) * size.scale
            )
        }
    }

    /// The picture of a size. Each pixel of the small one is the mean of the four of the large one that lie where it
    /// lies, but for rounding and where a value would leave 0–255.
    func pixels(at size: SceneSize, digits: Digits) -> Pixels {
        let small = drawn(at: .small, digits: digits)
        guard size != .small else { return small.pixels }
        var large = drawn(at: size, digits: digits)
        large.shift(toMeansOf: small)
        return large.pixels
    }

    private func drawn(at size: SceneSize, digits: Digits) -> SceneCanvas {
        var canvas = SceneCanvas(background: background, scale: size.scale)
        for stroke in strokes { canvas.draw(stroke, digits: digits) }
        return canvas
    }
}
