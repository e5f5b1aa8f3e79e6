import Tensors

/// A coarse dark background: 4×4 blocks of random colour with mild noise.
struct SceneBackground: Sendable {
    private static let blockSide = 16
    private static let darkest: Float = 0.35
    private static let noise: Float = 0.04

    /// `[64, 64, 3]`, about 0–1.
    let values: [Float]

    init(random: inout CounterRandom) {
        let blocks = Scene.side / Self.blockSide
        let colors = (0..<(blocks * blocks * 3)).map { _ in
            Float.random(in: 0...Self.darkest, using: &random)
        }
        var values: [Float] = []
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
        self.values = values
    }
}

/// A square cut-out of a digit that is laid over a scene; lengths in points of the scene's grid.
struct SceneStroke: Sendable {
    let digit: Int
    /// 0–499, which of the class.
    let index: Int
    /// Where the cut-out begins in the digit's 28×28 image.
    let from: (y: Int, x: Int)
    /// Where it is laid.
    let to: (y: Int, x: Int)
    let side: Int
    /// RGB, 0–1.
    let color: [Float]

    static func brightColor(_ random: inout CounterRandom) -> [Float] {
        (0..<3).map { _ in Float.random(in: 0.5...1, using: &random) }
    }
}
