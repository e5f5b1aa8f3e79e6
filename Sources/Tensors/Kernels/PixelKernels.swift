/// Loops over the pixels of images, channels innermost: three bytes or numbers each.
///
/// Here, and not where images are read, because these loops are built without checks; what they are
/// given is checked before them.
public enum PixelKernels {
    /// The source pixels that make each target pixel of one axis, and their weights.
    public struct Taps {
        fileprivate let first: [Int]
        fileprivate let counts: [Int]
        fileprivate let values: [Float]
        /// The source pixels that are read.
        fileprivate let sources: Range<Int>

        /// Names, for each target pixel, the first source pixel and how many there are, and the
        /// weights of one target pixel after the other.
        public init(first: [Int], counts: [Int], values: [Float]) {
            (self.first, self.counts, self.values) = (first, counts, values)
            var (low, high, total) = (first.first ?? 0, first.first ?? 0, 0)
            Contract.require(first.count == counts.count, "taps without a place")
            for (first, count) in zip(first, counts) {
                Contract.require(first >= 0 && count >= 0, "a source pixel before the image")
                (low, high, total) = (min(low, first), max(high, first + count), total + count)
            }
            Contract.require(total == values.count, "taps without a weight")
            sources = low..<high
        }

        /// The target pixels.
        public var count: Int { first.count }
    }

    /// Some columns of an image `[H, width, 3]`, resampled horizontally to whole numbers, then
    /// vertically to bytes, `[down, across, 3]`.
    ///
    /// - Parameters:
    ///   - columns: Those that the horizontal taps may read.
    ///   - across: The taps of each target column.
    ///   - down: The taps of each target row; only the rows that they read are resampled.
    public static func resampled(
        _ bytes: [UInt8], width: Int, columns: Range<Int>, across: Taps, down: Taps
    ) -> [UInt8] {
        Contract.require(
            columns.lowerBound >= 0 && columns.upperBound <= width
                && columns.lowerBound <= across.sources.lowerBound
                && across.sources.upperBound <= columns.upperBound
                && down.sources.upperBound * width * 3 <= bytes.count,
            "taps beyond the image")
        let middle = resampledRows(bytes, width: width, columns: columns, across, down.sources)
        let (length, height) = (across.count * 3, down.count)
        return [UInt8](unsafeUninitializedCapacity: height * length) { result, count in
            var sums = [Float](repeating: 0, count: length)
            var weight = 0
            for y in 0..<height {
                for x in 0..<length { sums[x] = 0.5 }
                for row in down.first[y]..<(down.first[y] + down.counts[y]) {
                    let value = down.values[weight]
                    let start = (row - down.sources.lowerBound) * length
                    for x in 0..<length { sums[x] += value * middle[start + x] }
                    weight += 1
                }
                for x in 0..<length {
                    result[y * length + x] = UInt8(min(255, max(0, sums[x])))
                }
            }
            count = height * length
        }
    }

    /// Rows of an image, resampled horizontally to whole numbers, `[rows, targets, 3]`.
    private static func resampledRows(
        _ bytes: [UInt8], width: Int, columns: Range<Int>, _ taps: Taps, _ rows: Range<Int>
    ) -> [Float] {
        let (size, left) = (taps.count, columns.lowerBound)
        // A row's pixels with a fourth channel: a pixel is then one vector.
        var source = [SIMD4<Float>](repeating: .zero, count: columns.count)
        return [Float](unsafeUninitializedCapacity: rows.count * size * 3) { result, count in
            var target = 0
            for row in rows {
                let start = (row * width + left) * 3
                for x in 0..<columns.count {
                    source[x] = SIMD4(
                        Float(bytes[start + x * 3]), Float(bytes[start + x * 3 + 1]),
                        Float(bytes[start + x * 3 + 2]), 0)
                }
                var weight = 0
                for x in 0..<size {
                    var sum = SIMD4<Float>(repeating: 0.5)
                    let first = taps.first[x] - left
                    for place in first..<(first + taps.counts[x]) {
                        sum += source[place] * taps.values[weight]
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

    /// `result[start + i] = values[i] · scale + shift` by channel.
    public static func scale(
        _ values: [UInt8], by scale: SIMD3<Float>, plus shift: SIMD3<Float>,
        into result: inout [Float], at start: Int
    ) {
        write(values.count, scale, shift, into: &result, at: start) { Float(values[$0]) }
    }

    /// `result[start + i] = (values[i] · unit) · scale + shift` by channel.
    public static func scale(
        _ values: [Float], unit: Float, by scale: SIMD3<Float>, plus shift: SIMD3<Float>,
        into result: inout [Float], at start: Int
    ) {
        write(values.count, scale, shift, into: &result, at: start) { values[$0] * unit }
    }

    @inline(__always)
    private static func write(
        _ count: Int, _ scale: SIMD3<Float>, _ shift: SIMD3<Float>, into result: inout [Float],
        at start: Int, number: (Int) -> Float
    ) {
        Contract.require(start >= 0 && start + count <= result.count, "an image beyond its batch")
        for channel in 0..<3 {
            let (factor, term) = (scale[channel], shift[channel])
            for index in stride(from: channel, to: count, by: 3) {
                result[start + index] = number(index) * factor + term
            }
        }
    }

    /// Mirrors the image `[size, size, 3]` at `start` left to right, or top to bottom.
    public static func mirror(
        _ result: inout [Float], at start: Int, size: Int, topToBottom: Bool
    ) {
        let length = size * 3
        Contract.require(
            start >= 0 && size >= 0 && start + size * length <= result.count,
            "an image beyond its batch")
        if topToBottom {
            for y in 0..<(size / 2) {
                let (upper, lower) = (start + y * length, start + (size - 1 - y) * length)
                for x in 0..<length { result.swapAt(upper + x, lower + x) }
            }
            return
        }
        for y in 0..<size {
            let row = start + y * length
            for x in 0..<(size / 2) {
                for channel in 0..<3 {
                    result.swapAt(row + x * 3 + channel, row + (size - 1 - x) * 3 + channel)
                }
            }
        }
    }
}
