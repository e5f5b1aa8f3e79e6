import Tensors

extension WindowSums {
    /// Widens a block of the rows from `first` on into the tile; rows beyond the border are zeros.
    private func load<Element: StorageElement>(
        _ activation: Activation<Element>, image: Int, first: Int, rowCount: Int, margin: Int,
        rowLength: Int, channel: Int, factors: UnsafePointer<Float>?,
        into tile: UnsafeMutablePointer<Float>
    ) {
        let shape = activation.shape
        let above = min(rowCount, max(0, -first))
        let inside = max(above, min(rowCount, shape.height - first))
        tile.update(repeating: 0, count: above * rowLength)
        (tile + inside * rowLength).update(
            repeating: 0, count: (rowCount - inside) * rowLength)
        let row = max(0, first)
        let pixels = min(shape.width, rowLength / 16 - margin)
        ChannelBlock.widen(
            activation.raw.row((image * shape.height + row) * shape.width),
            rows: .init(count: inside - above, pixels: pixels, rowLength: rowLength),
            channel: channel, channels: shape.channels, affine: activation.deferred?.affine,
            rectify: activation.deferred?.rectified ?? false,
            factors: factors.map { $0 + row * shape.width },
            into: tile + above * rowLength + margin * 16)
    }

    /// Widens a block of the windows of a band of outputs into the tile.
    private func loadInput<Element: StorageElement>(
        _ activation: Activation<Element>, image: Int, band: Range<Int>, channel: Int,
        _ scratch: Scratch
    ) {
        load(
            activation, image: image,
            first: band.lowerBound * padding.stride - padding.before(input.height),
            rowCount: (band.count - 1) * padding.stride + padding.kernel,
            margin: padding.before(input.width), rowLength: outputBands.rowLength,
            channel: channel, factors: nil, into: scratch.tile)
    }

    /// A block's part of the next band's, or image's, rows, as they lie in memory.
    private func ahead<Element: StorageElement>(
        image: Int, _ band: Range<Int>, _ source: Tensor<Element>, _ result: Tensor<Element>,
        block: Int
    ) -> DepthwiseKernels.Ahead {
        func stretch(
            _ tensor: Tensor<Element>, _ rows: Range<Int>
        ) -> (place: UnsafePointer<Element>, count: Int) {
            let row = (image * tensor.shape.height + rows.lowerBound) * tensor.shape.width
            return (
                UnsafePointer(tensor.row(row)),
                rows.count * tensor.shape.width * tensor.shape.channels
            )
        }
        let first = min(input.height, band.lowerBound * padding.stride)
        let end = min(input.height, band.upperBound * padding.stride)
        return DepthwiseKernels.Ahead(
            stretch(source, first..<end), stretch(result, band), block: block, of: blockCount)
    }

    /// `output = factor · sums over windows of an image`.
    func forward<Element: StorageElement>(
        image: Int, _ activation: Activation<Element>, into result: Tensor<Element>,
        _ scratch: Scratch
    ) {
        let step = hasWeights ? 16 : 0
        for band in outputBands.all {
            let first = band.lowerBound * output.width
            let count = band.count * output.width
            for block in 0..<blockCount {
                let channel = DepthwiseKernels.firstChannel(ofBlock: block, of: input.channels)
                let ahead = ahead(
                    image: image, band, activation.raw, result, block: block)
                loadInput(activation, image: image, band: band, channel: channel, scratch)
                DepthwiseKernels.sum(
                    scratch.forward.suffix(from: first), count: count, columns: padding.kernel,
                    tile: scratch.tile, rowLength: outputBands.rowLength,
                    weights: scratch.weights + block * step * padding.kernel * padding.kernel,
                    step: step, into: scratch.result, ahead: ahead)
                ChannelBlock.narrow(
                    scratch.result, pixels: count, channel: channel, channels: input.channels,
                    factors: scratch.factors.map { $0 + first },
                    into: result.row(image * output.locations + first))
            }
        }
    }

    /// Adds an image's part of the kernel's gradient to `scratch.sums`.
    func addKernelGradient<Element: StorageElement>(
        image: Int, _ gradient: Tensor<Element>, input activation: Activation<Element>,
        _ scratch: Scratch
    ) {
        let taps = padding.kernel * padding.kernel
        for band in outputBands.all {
            let first = band.lowerBound * output.width
            let count = band.count * output.width
            for block in 0..<blockCount {
                let channel = DepthwiseKernels.firstChannel(ofBlock: block, of: input.channels)
                let ahead = ahead(
                    image: image, band, activation.raw, gradient, block: block)
                loadInput(activation, image: image, band: band, channel: channel, scratch)
                ChannelBlock.widen(
                    gradient.row(image * output.locations + first),
                    rows: .init(count: 1, pixels: count, rowLength: 0), channel: channel,
                    channels: input.channels, affine: nil, rectify: false, factors: nil,
                    into: scratch.result)
                DepthwiseKernels.addProducts(
                    scratch.forward.suffix(from: first), count: count, kernel: padding.kernel,
                    tile: scratch.tile, rowLength: outputBands.rowLength,
                    gradient: scratch.result, to: scratch.sums + block * taps * 16,
                    ahead: ahead)
            }
        }
    }

    /// Writes `scratch.sums` to `result`, `[k, k, C]`.
    func storeKernelGradient(_ scratch: Scratch, into result: UnsafeMutablePointer<Float>) {
        let taps = padding.kernel * padding.kernel
        for block in 0..<blockCount {
            ChannelBlock.narrow(
                scratch.sums + block * taps * 16, pixels: taps,
                channel: DepthwiseKernels.firstChannel(ofBlock: block, of: input.channels),
                channels: input.channels, factors: nil, into: result)
        }
    }

    /// Runs `body` for each band of rows of the input, whose gradient is in `scratch.dense`.
    func backward<Element: StorageElement>(
        image: Int, _ gradient: Tensor<Element>, _ scratch: Scratch,
        _ body: (_ rows: Range<Int>) -> Void
    ) {
        let step = hasWeights ? 16 : 0
        for band in inputBands.all {
            let first = firstReader(of: band.lowerBound)
            let rowCount = firstReader(of: band.upperBound - 1) + margin + 1 - first
            for block in 0..<blockCount {
                let channel = DepthwiseKernels.firstChannel(ofBlock: block, of: input.channels)
                let weights =
                    scratch.backwardWeights + block * step * padding.kernel * padding.kernel
                load(
                    Activation(final: gradient), image: image, first: first, rowCount: rowCount,
                    margin: margin, rowLength: inputBands.rowLength, channel: channel,
                    factors: scratch.factors.map { UnsafePointer($0) }, into: scratch.backwardTile)
                var index = band.lowerBound * input.width
                forEachRemainder(band) { rows, _, columns, horizontal, weight in
                    let count = rows.count * columns.count
                    DepthwiseKernels.sum(
                        scratch.backward.suffix(from: index), count: count,
                        columns: readers(horizontal), tile: scratch.backwardTile,
                        rowLength: inputBands.rowLength, weights: weights + step * weight,
                        step: step, into: scratch.result, ahead: .init())
                    index += count
                }
                ChannelBlock.narrow(
                    scratch.result, pixels: band.count * input.width, channel: channel,
                    channels: input.channels, factors: nil, into: scratch.dense)
            }
            let row = (image * input.height) * input.width
            body((row + band.lowerBound * input.width)..<(row + band.upperBound * input.width))
        }
    }
}
