import Foundation

/// Bicubic resampling without antialiasing, as TensorFlow 1's `resize_bicubic` does it, with which
/// the published code prepared its images.
///
/// Target pixel i reads around i·source/target, without the half pixel; a = −0.75, tabulated in
/// steps of 1/1024; always four source pixels a side, the border repeated. Nothing is rounded or
/// limited: values may lie a little outside of 0…255.
enum LegacyResize {
    private static let tableSize: Float = 1024

    /// The four source pixels of each target pixel and their weights.
    private struct Taps {
        var places: [SIMD4<Int>] = []
        var weights: [SIMD4<Float>] = []

        init(extent: Int, targetSize: Int) {
            let scale = Float(extent) / Float(targetSize)
            for target in 0..<targetSize {
                let place = Float(target) * scale
                let whole = place.rounded(.down)
                let part = ((place - whole) * tableSize).rounded(.toNearestOrEven) / tableSize
                places.append(
                    (Int(whole) &+ SIMD4(-1, 0, 1, 2)).clamped(
                        lowerBound: SIMD4(repeating: 0), upperBound: SIMD4(repeating: extent - 1)))
                weights.append(
                    SIMD4(
                        Self.outer(part + 1), Self.inner(part), Self.inner(1 - part),
                        Self.outer(2 - part)))
            }
        }

        private static let a: Float = -0.75

        /// The cubic up to distance 1.
        private static func inner(_ x: Float) -> Float { ((a + 2) * x - (a + 3)) * x * x + 1 }

        /// From there to distance 2.
        private static func outer(_ x: Float) -> Float { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
    }

    /// The part `box` (whole pixels) of an image, cropped first, as `[size, size, 3]`.
    static func bicubic(_ pixels: Pixels, box: Resize.Box, size: Int) -> [Float] {
        let (left, top) = (Int(box.x), Int(box.y))
        let (width, height) = (Int(box.width), Int(box.height))
        precondition(
            left >= 0 && top >= 0 && width > 0 && height > 0 && left + width <= pixels.width
                && top + height <= pixels.height, "\(box)")
        let across = Taps(extent: width, targetSize: size)
        let down = Taps(extent: height, targetSize: size)
        var row = [Float](repeating: 0, count: width * 3)
        return [Float](unsafeUninitializedCapacity: size * size * 3) { result, count in
            for y in 0..<size {
                let (places, weights) = (down.places[y], down.weights[y])
                let starts = ((places &+ top) &* pixels.width &+ left) &* 3
                for x in 0..<(width * 3) {
                    let column = SIMD4<Float>(
                        Float(pixels.bytes[starts[0] + x]), Float(pixels.bytes[starts[1] + x]),
                        Float(pixels.bytes[starts[2] + x]), Float(pixels.bytes[starts[3] + x]))
                    row[x] = (column * weights).sum()
                }
                for x in 0..<size {
                    let (places, weights) = (across.places[x] &* 3, across.weights[x])
                    for channel in 0..<3 {
                        let values = SIMD4<Float>(
                            row[places[0] + channel], row[places[1] + channel],
                            row[places[2] + channel], row[places[3] + channel])
                        result[(y * size + x) * 3 + channel] = (values * weights).sum()
                    }
                }
            }
            count = size * size * 3
        }
    }
}
