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
    let outputBands: WindowBands
    let inputBands: WindowBands

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
    private var taps: Int { padding.kernel * padding.kernel }
    private var weightCount: Int { hasWeights ? blockCount * taps * 16 : 16 }

    /// Pixels of a window's row or column that a pixel of the input of remainder `remainder` is in.
    func readers(_ remainder: Int) -> Int {
        (padding.kernel - remainder + padding.stride - 1) / padding.stride
    }

    /// Outputs before a pixel's own that read it.
    var margin: Int { (padding.kernel - 1) / padding.stride }

    private var tableCount: Int { (max(input.locations, output.locations) + 15) / 16 * 16 }

    /// Floats of scratch memory that any of the passes needs.
    var scratchCount: Int {
        let bands = [outputBands, inputBands]
        return 2 * weightCount + blockCount * taps * 16 + 9 * tableCount
            + bands.reduce(0) { $0 + $1.tileCount } + (bands.map(\.resultCount).max() ?? 0)
            + inputBands.rowsPerBand * input.width * input.channels
    }

    /// A thread's scratch memory while it works on one image after the other.
    struct Scratch {
        /// `[blocks, k·k, 16]`, or one row of ones.
        let weights: UnsafeMutablePointer<Float>
        /// The same as the input's gradient takes them: by remainder, backward.
        let backwardWeights: UnsafeMutablePointer<Float>
        /// The kernel's gradient, `[blocks, k·k, 16]`.
        let sums: UnsafeMutablePointer<Float>
        /// What the sum of each output's window is multiplied by, where that is not 1.
        let factors: UnsafeMutablePointer<Float>?
        let forward: DepthwiseKernels.Windows
        let backward: DepthwiseKernels.Windows
        /// A block of the windows' pixels, whose margins beside the image stay zeros.
        let tile: UnsafeMutablePointer<Float>
        /// The same of the outputs' gradients.
        let backwardTile: UnsafeMutablePointer<Float>
        /// A block's outputs, or gradients of outputs or inputs, without margins.
        let result: UnsafeMutablePointer<Float>
        /// Rows of the input's gradient, `[rows, W, C]`.
        let dense: UnsafeMutablePointer<Float>
    }

    /// Divides scratch memory and fills what is the same for all images.
    ///
    /// - Parameters:
    ///   - weights: `[k, k, C]`; nil: ones.
    ///   - factor: Of each output; nil: 1.
    func divide(
        _ scratch: UnsafeMutablePointer<Float>, weights: UnsafePointer<Float>?,
        factor: ((_ row: Int, _ column: Int) -> Float)? = nil
    ) -> Scratch {
        var rest = scratch
        func take(_ count: Int) -> UnsafeMutablePointer<Float> {
            defer { rest += count }
            return rest
        }
        func windows() -> DepthwiseKernels.Windows {
            func table() -> UnsafeMutablePointer<Int32> {
                UnsafeMutableRawPointer(take(tableCount)).assumingMemoryBound(to: Int32.self)
            }
            return DepthwiseKernels.Windows(
                sources: table(), firstRows: table(), endRows: table(), results: table())
        }
        let bands = [outputBands, inputBands]
        let result = Scratch(
            weights: take(weightCount), backwardWeights: take(weightCount),
            sums: take(blockCount * taps * 16), factors: factor.map { _ in take(tableCount) },
            forward: windows(), backward: windows(),
            tile: take(outputBands.tileCount), backwardTile: take(inputBands.tileCount),
            result: take(bands.map(\.resultCount).max() ?? 0),
            dense: take(inputBands.rowsPerBand * input.width * input.channels))
        fill(result, weights: weights)
        result.tile.update(repeating: 0, count: outputBands.tileCount)
        result.backwardTile.update(repeating: 0, count: inputBands.tileCount)
        if let factor, let factors = result.factors {
            for location in 0..<output.locations {
                factors[location] = factor(location / output.width, location % output.width)
            }
        }
        fillForward(result.forward)
        fillBackward(result.backward)
        return result
    }

    private func fill(_ scratch: Scratch, weights: UnsafePointer<Float>?) {
        scratch.sums.update(repeating: 0, count: blockCount * taps * 16)
        guard let weights else {
            scratch.weights.update(repeating: 1, count: 16)
            scratch.backwardWeights.update(repeating: 1, count: 16)
            return
        }
        let rows = ChannelBlock.Rows(count: 1, pixels: taps, rowLength: 0)
        for block in 0..<blockCount {
            let target = scratch.weights + block * taps * 16
            ChannelBlock.widen(
                weights, rows: rows,
                channel: DepthwiseKernels.firstChannel(ofBlock: block, of: input.channels),
                channels: input.channels, affine: nil, rectify: false, factors: nil, into: target)
            var place = scratch.backwardWeights + block * taps * 16
            let (kernel, stride) = (padding.kernel, padding.stride)
            for vertical in 0..<stride {
                for horizontal in 0..<stride {
                    for u in Swift.stride(from: vertical, to: kernel, by: stride).reversed() {
                        for v in Swift.stride(from: horizontal, to: kernel, by: stride).reversed() {
                            place.update(from: target + (u * kernel + v) * 16, count: 16)
                            place += 16
                        }
                    }
                }
            }
        }
    }

    private func fillForward(_ windows: DepthwiseKernels.Windows) {
        let before = padding.before(input.height)
        for i in 0..<output.height {
            let local = i % outputBands.rowsPerBand
            let top = i * padding.stride - before
            for j in 0..<output.width {
                let index = i * output.width + j
                windows.sources[index] = Int32(
                    local * padding.stride * outputBands.rowLength + j * padding.stride * 16)
                windows.firstRows[index] = Int32(max(0, -top))
                windows.endRows[index] = Int32(min(padding.kernel, input.height - top))
                windows.results[index] = Int32((local * output.width + j) * 16)
            }
        }
    }

    /// Output (i, j) reads pixel (y, x) with (u, v) where y = s·i + u − before: pixels of like
    /// remainder are read alike, by outputs that lie side by side.
    private func fillBackward(_ windows: DepthwiseKernels.Windows) {
        let (stride, left) = (padding.stride, padding.before(input.width))
        var index = 0
        for band in inputBands.all {
            let first = firstReader(of: band.lowerBound)
            forEachRemainder(band) { rows, vertical, columns, horizontal, _ in
                let (down, across) = (readers(vertical), readers(horizontal))
                for y in rows.values {
                    let i = (y + padding.before(input.height)) / stride - down + 1
                    for x in columns.values {
                        let j = (x + left) / stride - across + 1
                        windows.sources[index] = Int32(
                            (i - first) * inputBands.rowLength + (j + margin) * 16)
                        windows.firstRows[index] = Int32(max(0, -i))
                        windows.endRows[index] = Int32(max(0, min(down, output.height - i)))
                        windows.results[index] = Int32(
                            ((y - band.lowerBound) * input.width + x) * 16)
                        index += 1
                    }
                }
            }
        }
    }

    /// The output row, possibly beyond the border, in a tile's first row for a band of the input.
    func firstReader(of row: Int) -> Int {
        (row + padding.before(input.height)) / padding.stride - margin
    }

    /// Runs `body` for each pair of remainders of a band's rows and columns, with the number of
    /// weights before theirs.
    func forEachRemainder(
        _ band: Range<Int>,
        _ body: (
            _ rows: Progression, _ vertical: Int, _ columns: Progression, _ horizontal: Int,
            _ weight: Int
        ) -> Void
    ) {
        let (stride, top) = (padding.stride, padding.before(input.height))
        let left = padding.before(input.width)
        var weight = 0
        for vertical in 0..<stride {
            let rows = Progression(
                from: band.lowerBound, to: band.upperBound, remainder: vertical - top, by: stride)
            for horizontal in 0..<stride {
                let columns = Progression(
                    from: 0, to: input.width, remainder: horizontal - left, by: stride)
                body(rows, vertical, columns, horizontal, weight)
                weight += readers(vertical) * readers(horizontal)
            }
        }
    }

    /// Numbers of like remainder.
    struct Progression {
        let first: Int
        let count: Int
        let stride: Int

        init(from start: Int, to end: Int, remainder: Int, by stride: Int) {
            first = start + ((remainder - start) % stride + stride) % stride
            count = max(0, (end - first + stride - 1) / stride)
            self.stride = stride
        }

        var values: StrideTo<Int> {
            Swift.stride(from: first, to: first + count * stride, by: stride)
        }
    }
}
