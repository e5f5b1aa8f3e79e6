extension PixelKernels {
    /// Four source pixels of each target pixel of one axis, and their weights.
    public struct FourTaps {
        fileprivate let places: [SIMD4<Int>]
        fileprivate let weights: [SIMD4<Float>]
        private let extent: Int

        /// Names them, of `extent` source pixels.
        public init(places: [SIMD4<Int>], weights: [SIMD4<Float>], extent: Int) {
            Contract.require(
                places.count == weights.count
                    && places.allSatisfy { $0.min() >= 0 && $0.max() < extent },
                "taps beyond the image")
            (self.places, self.weights, self.extent) = (places, weights, extent)
        }

        fileprivate func fit(_ extent: Int) -> Bool { self.extent <= extent }
    }

    /// A part of an image `[H, width, 3]` resampled with four pixels a side, `[down, across, 3]`,
    /// neither rounded nor limited.
    public static func resampled(
        _ bytes: [UInt8], width: Int, columns: Range<Int>, rows: Range<Int>, across: FourTaps,
        down: FourTaps
    ) -> [Float] {
        Contract.require(
            columns.lowerBound >= 0 && columns.upperBound <= width && rows.lowerBound >= 0
                && rows.upperBound * width * 3 <= bytes.count && across.fit(columns.count)
                && down.fit(rows.count), "taps beyond the image")
        let (left, top, size) = (columns.lowerBound, rows.lowerBound, across.places.count)
        var row = [Float](repeating: 0, count: columns.count * 3)
        let total = down.places.count * size * 3
        return [Float](unsafeUninitializedCapacity: total) { result, count in
            for y in 0..<down.places.count {
                let (places, weights) = (down.places[y], down.weights[y])
                let starts = ((places &+ top) &* width &+ left) &* 3
                for x in 0..<row.count {
                    let column = SIMD4<Float>(
                        Float(bytes[starts[0] + x]), Float(bytes[starts[1] + x]),
                        Float(bytes[starts[2] + x]), Float(bytes[starts[3] + x]))
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
            count = total
        }
    }
}
