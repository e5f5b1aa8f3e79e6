import Layers
import Models
import Tensors

/// Cuts patches out of standardised images, in the scale of the network that sees them.
struct PatchCut: Sendable {
    /// The side of the images, in pixels.
    let imageSize: Int
    /// The side of what is cut out.
    let side: Int
    /// The side of what the network sees.
    let size: Int
    private let change: (scale: [Float], shift: [Float])?
    private let resampling: PatchResampling?

    /// The whole image as one patch: what a network without a locator sees.
    init(wholeImage settings: GlimpseSettings, imageSize: Int) {
        let side = settings.patchImageSize(imageSize)
        let size = settings.glimpse.patchSize
        self.init(
            imageSize: side, side: side, size: size > 0 ? size : side,
            pixels: settings.glimpse.pixels)
    }

    /// Cuts as settings say.
    init(_ settings: GlimpseSettings, _ places: PatchPlaces) {
        let size = settings.glimpse.patchSize
        self.init(
            imageSize: places.imageSize, side: places.side, size: size > 0 ? size : places.side,
            pixels: settings.glimpse.pixels)
    }

    init(imageSize: Int, side: Int, size: Int, pixels: PixelScale) {
        (self.imageSize, self.side, self.size) = (imageSize, side, size)
        change = pixels.change
        resampling = size == side ? nil : PatchResampling(from: side, to: size)
    }

    /// Floats of scratch memory.
    var scratchCount: Int { (side * side + side * size + size * size) * 3 }

    /// Cuts out one patch of an image `[S, S, 3]`; pixels beyond the border are those at the
    /// border.
    ///
    /// - Returns: `[size, size, 3]`, in scratch memory.
    func callAsFunction(
        _ image: UnsafePointer<Float>, at window: Window,
        scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        var target = scratch
        for y in window.rows {
            let row = image + min(max(y, 0), imageSize - 1) * imageSize * 3
            for x in window.columns {
                let pixel = row + min(max(x, 0), imageSize - 1) * 3
                for channel in 0..<3 {
                    target[channel] =
                        change.map {
                            pixel[channel] * $0.scale[channel] + $0.shift[channel]
                        } ?? pixel[channel]
                }
                target += 3
            }
        }
        guard let resampling else { return scratch }
        return resampling.apply(scratch, into: target)
    }
}

/// Brings square patches to another size: a triangle as wide as two pixels of the coarser of both.
package struct PatchResampling: Sendable {
    private let sides: (from: Int, to: Int)
    /// For each pixel of the result the first pixel of the source, and the weights from there on.
    private let weights: [(first: Int, values: [Float])]

    package init(from source: Int, to target: Int) {
        sides = (source, target)
        let scale = Double(source) / Double(target)
        let width = max(1, scale)
        weights = (0..<target).map { place in
            let middle = (Double(place) + 0.5) * scale
            let first = max(0, Int((middle - width).rounded(.down)))
            let last = min(source, Int((middle + width).rounded(.up)))
            let values = (first..<last).map {
                max(0, 1 - abs(Double($0) + 0.5 - middle) / width)
            }
            let sum = values.reduce(0, +)
            return (first, values.map { Float($0 / sum) })
        }
    }

    /// The same as a matrix, `[to, from]`, row-major.
    package var matrix: [Float] {
        weights.flatMap { first, values in
            [Float](repeating: 0, count: first) + values
                + [Float](repeating: 0, count: sides.from - first - values.count)
        }
    }

    /// - Parameters:
    ///   - source: `[from, from, 3]`.
    ///   - scratch: Room for `[from, to, 3]` and the result.
    /// - Returns: `[to, to, 3]`, in scratch memory.
    func apply(
        _ source: UnsafePointer<Float>, into scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        let (from, to) = sides
        let result = scratch + from * to * 3
        for y in 0..<from {
            for (x, weight) in weights.enumerated() {
                for channel in 0..<3 {
                    var sum: Float = 0
                    for (offset, value) in weight.values.enumerated() {
                        sum += value * source[(y * from + weight.first + offset) * 3 + channel]
                    }
                    scratch[(y * to + x) * 3 + channel] = sum
                }
            }
        }
        for (y, weight) in weights.enumerated() {
            for place in 0..<(to * 3) {
                var sum: Float = 0
                for (offset, value) in weight.values.enumerated() {
                    sum += value * scratch[(weight.first + offset) * to * 3 + place]
                }
                result[y * to * 3 + place] = sum
            }
        }
        return result
    }
}
