import Tensors

/// Weighted sums over windows of an image, each channel for itself, and the way back.
///
/// An image is gone through in bands of rows, and each band 16 channels after the other: their
/// pixels are widened, with norm and ReLU, into a tile with margins that stays in the nearest cache.
/// A depthwise convolution has weights; average pooling has ones.
struct WindowSums: Sendable {
    let padding: SamePadding
    let input: Shape
    let output: Shape
    /// Whether every pixel of a window has weights of its own, or all the same.
    let hasWeights: Bool
    /// Bands of outputs, whose products are summed up apart.
    let outputBands: WindowBands
    let inputBands: WindowBands

    /// - Parameter padding: Of a kernel that is no smaller than its stride.
    init(_ padding: SamePadding, input: Shape, hasWeights: Bool) {
        (self.padding, self.input, self.hasWeights) = (padding, input, hasWeights)
        output = Shape(
            input.images, padding.outputSize(input.height), padding.outputSize(input.width),
            input.channels)
        outputBands = WindowBands(
            rows: output.height, width: output.width, stride: padding.stride,
            reach: padding.kernel - padding.stride,
            tileWidth: (output.width - 1) * padding.stride + padding.kernel)
        let margin = (padding.kernel - 1) / padding.stride
        let last = (input.width - 1 + padding.before(input.width)) / padding.stride
        inputBands = WindowBands(
            rows: input.height, width: input.width, stride: 1, sourceStride: padding.stride,
            reach: margin + 1, tileWidth: margin + max(output.width, last + 1))
    }

    var blockCount: Int { DepthwiseKernels.blockCount(input.channels) }
    var taps: Int { padding.kernel * padding.kernel }

    /// Whether the weights are read where they lie: 16 channels of each are there.
    private var readsWeights: Bool {
        hasWeights && input.channels >= DepthwiseKernels.blockChannels
    }

    private var weightCount: Int {
        readsWeights ? 0 : hasWeights ? taps * 16 : blockCount * 16
    }

    /// Pixels of a window's row or column that a pixel of the input of remainder `remainder` is in.
    func readers(_ remainder: Int) -> Int {
        (padding.kernel - remainder + padding.stride - 1) / padding.stride
    }

    /// Outputs before a pixel's own that read it.
    var margin: Int { (padding.kernel - 1) / padding.stride }

    /// Rows of outputs that are summed up before the next ones: what they read and write of all
    /// channels stays in the second cache.
    var forwardRows: Int {
        let perRow = (padding.stride * input.width + output.width) * input.channels
        let most = max(padding.kernel, 98304 / max(1, perRow))
        let bands = (output.height + most - 1) / most
        return max(1, (output.height + bands - 1) / max(1, bands))
    }

    /// Rows of the input's gradient's tile: those of two rows of pixels.
    var backwardTileRows: Int { margin + 2 }

    private var factorCount: Int { (output.locations + 15) / 16 * 16 }

    /// Floats of scratch memory that forward and, if `backward`, backward need.
    func scratchCount(backward: Bool) -> Int {
        let forward = weightCount + factorCount
        if !backward { return forward + padding.kernel * outputBands.rowLength }
        return forward + (hasWeights ? blockCount * taps * 16 + outputBands.tileCount : 0)
            + max(
                padding.kernel * outputBands.rowLength, backwardTileRows * inputBands.rowLength)
            + inputBands.rowsPerBand * input.width * input.channels
    }

    /// A thread's scratch memory while it works on one image after the other.
    struct Scratch {
        /// `[k, k, C]`, or ones.
        let weights: DepthwiseKernels.Weights
        /// What the sum of each output's window is multiplied by, where that is not 1.
        let factors: UnsafeMutablePointer<Float>?
        /// Rows of the input, or of the outputs' gradients.
        let tile: UnsafeMutablePointer<Float>
        /// The kernel's gradient, `[blocks, k·k, 16]`.
        let sums: UnsafeMutablePointer<Float>
        /// All rows of the windows of a band of outputs.
        let bandTile: UnsafeMutablePointer<Float>
        /// Rows of the input's gradient, `[rows, W, C]`.
        let dense: UnsafeMutablePointer<Float>
    }

    /// Divides scratch memory and fills what is the same for all images.
    ///
    /// - Parameters:
    ///   - backward: Whether it is for backward; else for forward.
    ///   - weights: `[k, k, C]`; nil: ones.
    ///   - factor: Of each output; nil: 1.
    func divide(
        _ scratch: UnsafeMutablePointer<Float>, backward: Bool, weights: UnsafePointer<Float>?,
        factor: ((_ row: Int, _ column: Int) -> Float)? = nil
    ) -> Scratch {
        var rest = scratch
        func take(_ count: Int, zeros: Bool = false) -> UnsafeMutablePointer<Float> {
            defer { rest += count }
            if zeros { rest.update(repeating: 0, count: count) }
            return rest
        }
        let copy = take(weightCount)
        let factors = factor.map { factor in
            let factors = take(factorCount)
            for location in 0..<output.locations {
                factors[location] = factor(location / output.width, location % output.width)
            }
            return factors
        }
        let tile = take(
            backward
                ? backwardTileRows * inputBands.rowLength
                : padding.kernel * outputBands.rowLength, zeros: true)
        let gathers = backward && hasWeights
        return Scratch(
            weights: fill(copy, weights: weights), factors: factors, tile: tile,
            sums: take(gathers ? blockCount * taps * 16 : 0, zeros: true),
            bandTile: take(gathers ? outputBands.tileCount : 0, zeros: true), dense: rest)
    }

    private func fill(
        _ copy: UnsafeMutablePointer<Float>, weights: UnsafePointer<Float>?
    ) -> DepthwiseKernels.Weights {
        let (kernel, channels) = (padding.kernel, input.channels)
        guard let weights else {
            copy.update(repeating: 1, count: weightCount)
            return DepthwiseKernels.Weights(copy, row: 0, column: 0)
        }
        if readsWeights {
            return DepthwiseKernels.Weights(weights, row: kernel * channels, column: channels)
        }
        copy.update(repeating: 0, count: weightCount)
        for tap in 0..<taps {
            (copy + tap * 16).update(from: weights + tap * channels, count: channels)
        }
        return DepthwiseKernels.Weights(copy, row: kernel * 16, column: 16)
    }

    /// The output row, possibly beyond the border, in a tile's first row for a band of the input.
    func firstReader(of row: Int) -> Int {
        (row + padding.before(input.height)) / padding.stride - margin
    }

    /// The windows over the outputs' gradients that make a band of rows of the input's gradient.
    ///
    /// Output (i, j) reads pixel (y, x) with (u, v) where y = s·i + u − before: pixels of like
    /// remainder are read alike, by outputs that lie side by side.
    func readers(
        ofBand band: Range<Int>, weights: DepthwiseKernels.Weights
    ) -> [(windows: DepthwiseKernels.Windows, weights: DepthwiseKernels.Weights)] {
        let (stride, first) = (padding.stride, firstReader(of: band.lowerBound))
        let (above, before) = (padding.before(input.height), padding.before(input.width))
        return (0..<(stride * stride)).compactMap { remainder in
            let (vertical, horizontal) = (remainder / stride, remainder % stride)
            let (down, across) = (readers(vertical), readers(horizontal))
            let rows = Progression(
                from: band.lowerBound, to: band.upperBound, remainder: vertical - above, by: stride)
            let columns = Progression(
                from: 0, to: input.width, remainder: horizontal - before, by: stride)
            guard rows.count > 0, columns.count > 0 else { return nil }
            let windows = DepthwiseKernels.Windows(
                rows: rows.count, columns: columns.count,
                top: (rows.first + above) / stride - down + 1 - first,
                left: (columns.first + before) / stride - across + 1 + margin,
                stride: 1, height: down, width: across,
                result: .init(
                    first: (rows.first - band.lowerBound) * input.width + columns.first,
                    row: stride * input.width, column: stride))
            return (
                windows,
                weights.reversed(
                    fromRow: vertical + stride * (down - 1),
                    column: horizontal + stride * (across - 1), stride: stride)
            )
        }
    }

    /// Numbers of like remainder.
    private struct Progression {
        let first: Int
        let count: Int

        init(from start: Int, to end: Int, remainder: Int, by stride: Int) {
            first = start + ((remainder - start) % stride + stride) % stride
            count = max(0, (end - first + stride - 1) / stride)
        }
    }
}
