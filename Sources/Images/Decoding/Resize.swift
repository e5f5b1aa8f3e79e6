import Foundation

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

    /// The weights of the source pixels that make each target pixel.
    private struct Weights {
        /// The first source pixel of each target pixel, and how many there are.
        var first: [Int] = []
        var counts: [Int] = []
        /// The weights of one target pixel after the other.
        var values: [Float] = []

        init(start: Double, extent: Double, targetSize: Int) {
            let scale = extent / Double(targetSize)
            let widening = max(1, scale)
            let support = 2 * widening
            for target in 0..<targetSize {
                let center = start + (Double(target) + 0.5) * scale
                let low = max(Int(start), Int(center - support + 0.5))
                let high = min(Int(start + extent), Int(center + support + 0.5))
                let weights = (low..<max(low, high)).map {
                    Self.cubic((Double($0) - center + 0.5) / widening)
                }
                let sum = weights.reduce(0, +)
                first.append(low)
                counts.append(weights.count)
                values += weights.map { Float(sum == 0 ? $0 : $0 / sum) }
            }
        }

        private static func cubic(_ distance: Double) -> Double {
            let (a, x) = (-0.5, abs(distance))
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
            return 0
        }
    }

    /// The part `box` (whole pixels) of an image, cropped first and then resampled, as
    /// `size`×`size` pixels.
    public static func bicubic(_ pixels: Pixels, box: Box, size: Int) -> Pixels {
        precondition(
            box.x >= 0 && box.y >= 0 && box.x + box.width <= Double(pixels.width)
                && box.y + box.height <= Double(pixels.height), "\(box)")
        if let copy = crop(pixels, box: box, size: size) { return copy }
        let across = Weights(start: box.x, extent: box.width, targetSize: size)
        let down = Weights(start: box.y, extent: box.height, targetSize: size)
        // Only the rows that the vertical pass reads are resampled horizontally.
        let firstRow = down.first.min() ?? 0
        let lastRow = zip(down.first, down.counts).map { $0 + $1 }.max() ?? 0
        let middle = resampledRows(pixels, firstRow..<lastRow, box: box, weights: across)
        let length = size * 3
        let bytes = [UInt8](unsafeUninitializedCapacity: size * length) { bytes, count in
            var sums = [Float](repeating: 0, count: length)
            var weight = 0
            for y in 0..<size {
                for x in 0..<length { sums[x] = 0.5 }
                for row in down.first[y]..<(down.first[y] + down.counts[y]) {
                    let (value, start) = (down.values[weight], (row - firstRow) * length)
                    for x in 0..<length { sums[x] += value * middle[start + x] }
                    weight += 1
                }
                for x in 0..<length {
                    bytes[y * length + x] = UInt8(min(255, max(0, sums[x])))
                }
            }
            count = size * length
        }
        return Pixels(height: size, width: size, bytes: bytes)
    }

    /// Some rows of an image, resampled horizontally to whole numbers, `[rows, targets, 3]`.
    private static func resampledRows(
        _ pixels: Pixels, _ rows: Range<Int>, box: Box, weights: Weights
    ) -> [Float] {
        let size = weights.first.count
        let (left, width) = (Int(box.x), Int(box.width))
        // A row's pixels with a fourth channel: a pixel is then one vector.
        var source = [SIMD4<Float>](repeating: .zero, count: width)
        return [Float](unsafeUninitializedCapacity: rows.count * size * 3) { result, count in
            var target = 0
            for row in rows {
                let start = (row * pixels.width + left) * 3
                for x in 0..<width {
                    source[x] = SIMD4(
                        Float(pixels.bytes[start + x * 3]), Float(pixels.bytes[start + x * 3 + 1]),
                        Float(pixels.bytes[start + x * 3 + 2]), 0)
                }
                var weight = 0
                for x in 0..<size {
                    var sum = SIMD4<Float>(repeating: 0.5)
                    let first = weights.first[x] - left
                    for place in first..<(first + weights.counts[x]) {
                        sum += source[place] * weights.values[weight]
                        weight += 1
                    }
                    let whole = sum.clamped(
                        lowerBound: SIMD4(repeating: 0), upperBound: SIMD4(repeating: 255)
                    ).rounded(.down)
                    for channel in 0..<3 { result[target + channel] = whole[channel] }
                    target += 3
                }
            }
            count = target
        }
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
