/// The two image-only policies of the comparison: places where the brightness changes most
/// (Method: Policies).
public enum Sobel {
    /// What is computed from the magnitudes in a place's window.
    public enum Statistic: Sendable {
        /// The magnitudes' mean.
        case mean
        /// The magnitudes' unbiased variance.
        case variance
    }

    /// The gradient magnitude of the grey image, `[H, W]`, borders reflected.
    ///
    /// - Parameter image: `[H, W, 3]`.
    public static func magnitude(_ image: [Float], size: Int) -> [Double] {
        var grey = [Double](repeating: 0, count: size * size)
        for pixel in grey.indices {
            let red = Double(image[pixel * 3])
            let green = Double(image[pixel * 3 + 1])
            let blue = Double(image[pixel * 3 + 2])
            grey[pixel] = 0.2989 * red + 0.5870 * green + 0.1140 * blue
        }
        func reflected(_ index: Int) -> Int {
            index < 0 ? -index : index >= size ? 2 * size - 2 - index : index
        }
        var result = [Double](repeating: 0, count: size * size)
        for y in 0..<size {
            let (above, below) = (reflected(y - 1) * size, reflected(y + 1) * size)
            let here = y * size
            for x in 0..<size {
                let (left, right) = (reflected(x - 1), reflected(x + 1))
                // The kernel [1 2 1] across the direction in which the difference is taken.
                let bottom: Double = grey[below + left] + 2 * grey[below + x] + grey[below + right]
                let top: Double = grey[above + left] + 2 * grey[above + x] + grey[above + right]
                let end: Double = grey[above + right] + 2 * grey[here + right] + grey[below + right]
                let start: Double = grey[above + left] + 2 * grey[here + left] + grey[below + left]
                let (down, across) = (bottom - top, end - start)
                result[here + x] = (down * down + across * across).squareRoot()
            }
        }
        return result
    }

    /// How much each location is worth, `[P]`: over windows of the receptive field's size at
    /// stride ⌈(H − rf + 1)/h⌉.
    public static func metric(
        magnitude: [Double], size: Int, geometry: Geometry, statistic: Statistic
    ) -> [Float] {
        let (field, grid) = (geometry.receptiveField, geometry.gridSize)
        let stride = (size - field + grid) / grid
        let sums = IntegralImage(magnitude, size: size) { $0 }
        let squares = IntegralImage(magnitude, size: size) { $0 * $0 }
        let count = Double(field * field)
        return (0..<(grid * grid)).map { place in
            let (y, x) = (place / grid * stride, place % grid * stride)
            let mean = sums.sum(y, x, field) / count
            guard statistic == .variance else { return Float(mean) }
            let square = squares.sum(y, x, field) / count
            return Float(count / (count - 1) * (square - mean * mean))
        }
    }

    /// The `most` places of one image in order.
    public static func locations(
        _ image: [Float], size: Int, geometry: Geometry, statistic: Statistic, most: Int
    ) -> [Int] {
        let values = metric(
            magnitude: magnitude(image, size: size), size: size, geometry: geometry,
            statistic: statistic)
        return values.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map { LogitOrder.largest(most, of: $0, count: values.count) } ?? []
        }
    }
}

/// Sums over any square of an image in constant time.
private struct IntegralImage {
    private let sums: [Double]
    private let side: Int

    init(_ values: [Double], size: Int, _ transform: (Double) -> Double) {
        side = size + 1
        var sums = [Double](repeating: 0, count: side * side)
        for y in 0..<size {
            var row = 0.0
            for x in 0..<size {
                row += transform(values[y * size + x])
                sums[(y + 1) * side + x + 1] = sums[y * side + x + 1] + row
            }
        }
        self.sums = sums
    }

    func sum(_ y: Int, _ x: Int, _ length: Int) -> Double {
        let (bottom, right) = (y + length, x + length)
        return sums[bottom * side + right] - sums[y * side + right] - sums[bottom * side + x]
            + sums[y * side + x]
    }
}
