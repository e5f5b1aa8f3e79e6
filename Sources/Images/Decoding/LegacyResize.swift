import Foundation
import Tensors

/// Bicubic resampling without antialiasing, as TensorFlow 1's `resize_bicubic` does it, with which
/// the published code prepared its images.
///
/// Target pixel i reads around i·source/target, without the half pixel; a = −0.75, tabulated in
/// steps of 1/1024; always four source pixels a side, the border repeated. Nothing is rounded or
/// limited: values may lie a little outside of 0…255.
enum LegacyResize {
    private static let tableSize: Float = 1024

    /// The four source pixels of each target pixel, and their weights.
    private static func taps(extent: Int, targetSize: Int) -> PixelKernels.FourTaps {
        let scale = Float(extent) / Float(targetSize)
        var (places, weights) = ([SIMD4<Int>](), [SIMD4<Float>]())
        for target in 0..<targetSize {
            let place = Float(target) * scale
            let whole = place.rounded(.down)
            let part = ((place - whole) * tableSize).rounded(.toNearestOrEven) / tableSize
            places.append(
                (Int(whole) &+ SIMD4(-1, 0, 1, 2)).clamped(
                    lowerBound: SIMD4(repeating: 0), upperBound: SIMD4(repeating: extent - 1)))
            weights.append(
                SIMD4(outer(part + 1), inner(part), inner(1 - part), outer(2 - part)))
        }
        return PixelKernels.FourTaps(places: places, weights: weights, extent: extent)
    }

    private static let a: Float = -0.75

    /// The cubic up to distance 1.
    private static func inner(_ x: Float) -> Float { ((a + 2) * x - (a + 3)) * x * x + 1 }

    /// The cubic from there to distance 2.
    private static func outer(_ x: Float) -> Float { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }

    /// The part `box` (whole pixels) of an image, cropped first, as `[size, size, 3]`.
    static func bicubic(_ pixels: Pixels, box: Resize.Box, size: Int) -> [Float] {
        let (left, top) = (Int(box.x), Int(box.y))
        let (width, height) = (Int(box.width), Int(box.height))
        precondition(
            left >= 0 && top >= 0 && width > 0 && height > 0 && left + width <= pixels.width
                && top + height <= pixels.height, "\(box)")
        return PixelKernels.resampled(
            pixels.bytes, width: pixels.width, columns: left..<(left + width),
            rows: top..<(top + height), across: taps(extent: width, targetSize: size),
            down: taps(extent: height, targetSize: size))
    }
}
