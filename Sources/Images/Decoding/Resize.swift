import Foundation

/// Antialiased bicubic resampling as Pillow's `resize(…, BICUBIC, box=…)` does it: a = −0.5, the
/// kernel widened by the reduction factor, horizontal before vertical, 8 bits in between.
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
        var first: [Int] = []
        var values: [[Double]] = []

        init(start: Double, extent: Double, targetSize: Int) {
            let scale = extent / Double(targetSize)
            let widening = max(1, scale)
            let support = 2 * widening
            for target in 0..<targetSize {
                let center = start + (Double(target) + 0.5) * scale
                let low = max(Int(start), Int(center - support + 0.5))
                let high = min(Int(start + extent), Int(center + support + 0.5))
                var weights = (low..<max(low, high)).map {
                    Self.cubic((Double($0) - center + 0.5) / widening)
                }
                let sum = weights.reduce(0, +)
                if sum != 0 { for index in weights.indices { weights[index] /= sum } }
                first.append(low)
                values.append(weights)
            }
        }

        private static func cubic(_ distance: Double) -> Double {
            let (a, x) = (-0.5, abs(distance))
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
            return 0
        }
    }

    /// The part `box` (whole pixels) of an image, cropped first and then resampled, as `size`×`size` pixels.
    public static func bicubic(_ pixels: Pixels, box: Box, size: Int) -> Pixels {
        if let copy = crop(pixels, box: box, size: size) { return copy }
        let across = Weights(
            start: box.x, extent: box.width, targetSize: size)
        let down = Weights(
            start: box.y, extent: box.height, targetSize: size)
        // Only the rows that the vertical pass reads are resampled horizontally.
        let firstRow = down.first.min() ?? 0
        let lastRow = zip(down.first, down.values).map { $0 + $1.count }.max() ?? 0
        var middle = [UInt8](repeating: 0, count: (lastRow - firstRow) * size * 3)
        for row in firstRow..<lastRow {
            for x in 0..<size {
                var sum = SIMD3<Double>(repeating: 0.5)
                var source = (row * pixels.width + across.first[x]) * 3
                for weight in across.values[x] {
                    sum += weight * rgb(pixels.bytes, source)
                    source += 3
                }
                store(sum, into: &middle, at: ((row - firstRow) * size + x) * 3)
            }
        }
        var bytes = [UInt8](repeating: 0, count: size * size * 3)
        for y in 0..<size {
            for x in 0..<size {
                var sum = SIMD3<Double>(repeating: 0.5)
                var source = ((down.first[y] - firstRow) * size + x) * 3
                for weight in down.values[y] {
                    sum += weight * rgb(middle, source)
                    source += size * 3
                }
                store(sum, into: &bytes, at: (y * size + x) * 3)
            }
        }
        return Pixels(height: size, width: size, bytes: bytes)
    }

    @inline(__always)
    private static func rgb(_ bytes: [UInt8], _ index: Int) -> SIMD3<Double> {
        SIMD3(Double(bytes[index]), Double(bytes[index + 1]), Double(bytes[index + 2]))
    }

    @inline(__always)
    private static func store(_ sum: SIMD3<Double>, into bytes: inout [UInt8], at index: Int) {
        let clipped = sum.clamped(
            lowerBound: SIMD3(repeating: 0), upperBound: SIMD3(repeating: 255))
        for channel in 0..<3 { bytes[index + channel] = UInt8(clipped[channel]) }
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
