/// The largest value of each channel in windows of an image's pixels; pixels beyond the border do not
/// count. Rows of pixels are `[H, W, C]`, a row of outputs is `[w, C]`.
public struct MaxWindows: Sendable {
    private let image: Shape
    private let kernel: Int
    private let stride: Int
    private let dilation: Int
    /// The first tap of output (0, 0), in pixels from the image's corner.
    private let (top, left): (Int, Int)

    /// Describes the windows of `geometry` on an image of `shape`.
    public init(_ geometry: PatchGeometry, on shape: Shape) {
        image = shape
        (kernel, stride, dilation) = (geometry.kernel, geometry.stride, geometry.dilation)
        (top, left) = (geometry.offset, geometry.offset)
        Contract.require(kernel > 0 && stride > 0 && dilation > 0, "windows are of pixels")
    }

    /// Describes windows with SAME margins on an image of `shape`.
    public init(_ padding: SamePadding, on shape: Shape) {
        image = shape
        (kernel, stride, dilation) = (padding.kernel, padding.stride, 1)
        (top, left) = (-padding.before(shape.height), -padding.before(shape.width))
        Contract.require(kernel > 0 && stride > 0, "windows are of pixels")
    }

    /// Writes `width` outputs of the row `i`; a NaN stays one.
    public func largest(
        row i: Int, width: Int, of pixels: UnsafePointer<Float>,
        into result: UnsafeMutablePointer<Float>
    ) {
        for j in 0..<width {
            largest(i, j, of: pixels, into: result + j * image.channels)
        }
    }

    private func largest(
        _ i: Int, _ j: Int, of pixels: UnsafePointer<Float>,
        into result: UnsafeMutablePointer<Float>
    ) {
        let channels = image.channels
        result.update(repeating: -.infinity, count: channels)
        forEachTap(i, j) { pixel in
            let values = pixels + pixel * channels
            for channel in 0..<channels {
                let value = values[channel]
                result[channel] =
                    value > result[channel] || value.isNaN ? value : result[channel]
            }
        }
    }

    /// Inverts `largest`: adds each output's gradient to the first pixel of its window that has the
    /// largest value.
    ///
    /// - Parameters:
    ///   - outputGradient: Of `width` outputs of the row `i`.
    ///   - best: Scratch of C floats.
    ///   - gradient: Of the pixels, `[H, W, C]`.
    public func addGradient(
        row i: Int, width: Int, outputGradient: UnsafePointer<Float>,
        pixels: UnsafePointer<Float>, best: UnsafeMutablePointer<Float>,
        to gradient: UnsafeMutablePointer<Float>
    ) {
        let channels = image.channels
        for j in 0..<width {
            largest(i, j, of: pixels, into: best)
            let part = outputGradient + j * channels
            forEachTap(i, j) { pixel in
                let value = pixels + pixel * channels
                let target = gradient + pixel * channels
                for channel in 0..<channels where value[channel] == best[channel] {
                    target[channel] += part[channel]
                    // Nothing finite equals it any more: of equal pixels one is enough.
                    best[channel] = .infinity
                }
            }
        }
    }

    /// The pixels in the window of output (i, j), row by row.
    private func forEachTap(_ i: Int, _ j: Int, _ body: (Int) -> Void) {
        let (top, left) = (stride * i + top, stride * j + left)
        for u in 0..<kernel {
            let y = top + dilation * u
            guard y >= 0 && y < image.height else { continue }
            for v in 0..<kernel {
                let x = left + dilation * v
                if x >= 0 && x < image.width { body(y * image.width + x) }
            }
        }
    }
}
