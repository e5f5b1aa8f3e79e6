import Foundation
import Tensors

/// Antialiased bicubic resampling as Pillow's `crop(…)` and `resize(…, BICUBIC)` do it up to version
/// 12: a = −0.5, the kernel widened by the reduction factor, horizontal before vertical, 8 bits in
/// between. (Version 13 goes vertically first where that is less work, which rounds otherwise.)
public enum Resize {
    /// A part of an image, in pixels.
    public struct Box: Equatable, Sendable {
        /// The left and upper border.
        public let x: Double, y: Double
        /// The extent.
        public let width: Double, height: Double

        /// Names a part.
        public init(x: Double, y: Double, width: Double, height: Double) {
            (self.x, self.y, self.width, self.height) = (x, y, width, height)
        }
    }

    /// The source pixels that make each target pixel, and their weights.
    private static func taps(start: Double, extent: Double, targetSize: Int) -> PixelKernels.Taps {
        let scale = extent / Double(targetSize)
        let widening = max(1, scale)
        let support = 2 * widening
        var (first, counts, values) = ([Int](), [Int](), [Float]())
        for target in 0..<targetSize {
            let center = start + (Double(target) + 0.5) * scale
            let low = max(Int(start), Int(center - support + 0.5))
            let high = min(Int(start + extent), Int(center + support + 0.5))
            let weights = (low..<max(low, high)).map {
                cubic((Double($0) - center + 0.5) / widening)
            }
            let sum = weights.reduce(0, +)
            first.append(low)
            counts.append(weights.count)
            for weight in weights { values.append(Float(sum == 0 ? weight : weight / sum)) }
        }
        return PixelKernels.Taps(first: first, counts: counts, values: values)
    }

    private static func cubic(_ distance: Double) -> Double {
        let (a, x) = (-0.5, abs(distance))
        if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
        return 0
    }

    /// The part `box` (whole pixels) of an image, cropped first and then resampled, as
    /// `size`×`size` pixels.
    public static func bicubic(_ pixels: Pixels, box: Box, size: Int) -> Pixels {
        precondition(
            box.x >= 0 && box.y >= 0 && box.x + box.width <= Double(pixels.width)
                && box.y + box.height <= Double(pixels.height), "\(box)")
        if let copy = crop(pixels, box: box, size: size) { return copy }
        let (left, width) = (Int(box.x), Int(box.width))
        return Pixels(
            height: size, width: size,
            bytes: PixelKernels.resampled(
                pixels.bytes, width: pixels.width, columns: left..<(left + width),
                across: taps(start: box.x, extent: box.width, targetSize: size),
                down: taps(start: box.y, extent: box.height, targetSize: size)))
    }

    /// A box of the target's size at whole pixels needs no resampling.
    private static func crop(_ pixels: Pixels, box: Box, size: Int) -> Pixels? {
        guard box.width == Double(size), box.height == Double(size),
            box.x == box.x.rounded(), box.y == box.y.rounded()
        else { return nil }
        if pixels.width == size && pixels.height == size { return pixels }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size * size * 3)
        for row in Int(box.y)..<(Int(box.y) + size) {
            let start = (row * pixels.width + Int(box.x)) * 3
            bytes += pixels.bytes[start..<(start + size * 3)]
        }
        return Pixels(height: size, width: size, bytes: bytes)
    }
}
