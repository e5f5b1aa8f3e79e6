import Tensors

/// Cuts a glimpse out of an image: R windows around one place, all brought to g×g pixels.
///
/// Each window has five channels: red, green, blue, and the pixel's row and column, linear from −1
/// to 1. Beyond the image the border's pixels repeat. A window of n ≠ g pixels is interpolated
/// linearly at i·n/g, without half-pixel centres (`resize_bilinear` of TensorFlow 1).
struct GlimpseCut: Sendable {
    /// Channels of a window.
    static let channels = 5
    /// The channels that are colours.
    private static let colors = 3

    let geometry: GlimpseGeometry

    /// Between which two pixels of the image a row or column of the result lies.
    private struct Tap {
        let lower: Int
        let upper: Int
        let fraction: Float
        /// The position, −1…1.
        let position: Float
    }

    /// Numbers of a glimpse, g·g·5R.
    var count: Int {
        geometry.glimpseSize * geometry.glimpseSize * Self.channels * geometry.sides.count
    }

    /// Cuts one glimpse.
    ///
    /// - Parameters:
    ///   - image: `[H, H, 3]`.
    ///   - resolutions: How many windows show the image; the others show their own mean, channel
    ///     by channel.
    ///   - result: Overwritten, `[g, g, 5R]`, the finest window's channels first.
    func callAsFunction(
        _ image: UnsafePointer<Float>, at place: Place, resolutions: Int,
        into result: UnsafeMutablePointer<Float>
    ) {
        let size = geometry.glimpseSize
        let stride = Self.channels * geometry.sides.count
        withUnsafeTemporaryAllocation(of: Tap.self, capacity: 2 * size) { taps in
            guard let rows = taps.baseAddress else { return }
            let columns = rows + size
            for resolution in geometry.sides.indices {
                let corner = geometry.corner(of: place, resolution: resolution)
                for index in 0..<size {
                    let side = geometry.sides[resolution]
                    rows[index] = tap(index, first: corner.row, side: side)
                    columns[index] = tap(index, first: corner.column, side: side)
                }
                let target = result + Self.channels * resolution
                for row in 0..<size {
                    sample(
                        image, rows[row], columns, into: target + row * size * stride,
                        stride: stride)
                }
                if resolution >= resolutions {
                    flatten(target, count: size * size, stride: stride)
                }
            }
        }
    }

    private func tap(_ index: Int, first: Int, side: Int) -> Tap {
        let last = geometry.imageSize - 1
        let (lower, rest) = (index * side).quotientAndRemainder(dividingBy: geometry.glimpseSize)
        // A window is at least g wide: only where the fraction is 0 has its last pixel no next one.
        let inside = (
            lower: min(max(first + lower, 0), last), upper: min(max(first + lower + 1, 0), last)
        )
        let fraction = Float(rest) / Float(geometry.glimpseSize)
        func position(_ pixel: Int) -> Float {
            last > 0 ? Float(2 * Double(pixel) / Double(last) - 1) : -1
        }
        let (start, end) = (position(inside.lower), position(inside.upper))
        return Tap(
            lower: inside.lower, upper: inside.upper, fraction: fraction,
            position: start + (end - start) * fraction)
    }

    /// One row of a window.
    private func sample(
        _ image: UnsafePointer<Float>, _ row: Tap, _ columns: UnsafePointer<Tap>,
        into result: UnsafeMutablePointer<Float>, stride: Int
    ) {
        let line = geometry.imageSize * Self.colors
        let (top, bottom) = (image + row.lower * line, image + row.upper * line)
        var target = result
        for index in 0..<geometry.glimpseSize {
            let column = columns[index]
            let (left, right) = (column.lower * Self.colors, column.upper * Self.colors)
            for color in 0..<Self.colors {
                let above =
                    top[left + color] + (top[right + color] - top[left + color]) * column.fraction
                let below =
                    bottom[left + color]
                    + (bottom[right + color] - bottom[left + color]) * column.fraction
                target[color] = above + (below - above) * row.fraction
            }
            target[Self.colors] = row.position
            target[Self.colors + 1] = column.position
            target += stride
        }
    }

    /// Replaces each channel of a window by its mean.
    private func flatten(_ window: UnsafeMutablePointer<Float>, count: Int, stride: Int) {
        for channel in 0..<Self.channels {
            var sum = 0.0
            for pixel in 0..<count { sum += Double(window[pixel * stride + channel]) }
            let mean = Float(sum / Double(count))
            for pixel in 0..<count { window[pixel * stride + channel] = mean }
        }
    }
}
