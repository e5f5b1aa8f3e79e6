import Tensors

extension WindowSums {
    /// What an image's rows `rows` of outputs read and hold, as they lie in memory.
    private func ahead<Element: StorageElement>(
        image: Int, rows: Range<Int>, _ source: Tensor<Element>, _ result: Tensor<Element>
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
        let first = min(input.height, rows.lowerBound * padding.stride)
        let end = min(input.height, rows.upperBound * padding.stride)
        return DepthwiseKernels.Ahead(stretch(source, first..<end), stretch(result, rows))
    }

    /// The rows after `rows`, or the next image's.
    private func aheadOfNext<Element: StorageElement>(
        image: Int, images: Range<Int>, rows: Range<Int>, rowsPerBand: Int,
        _ source: Tensor<Element>, _ result: Tensor<Element>
    ) -> DepthwiseKernels.Ahead {
        if rows.upperBound < output.height {
            let end = min(output.height, rows.upperBound + rowsPerBand)
            return ahead(image: image, rows: rows.upperBound..<end, source, result)
        }
        guard image + 1 < images.upperBound else { return DepthwiseKernels.Ahead() }
        return ahead(
            image: image + 1, rows: 0..<min(output.height, rowsPerBand), source, result)
    }

    private func pixels<Element: StorageElement>(
        _ activation: Activation<Element>, image: Int
    ) -> DepthwiseKernels.Pixels {
        DepthwiseKernels.Pixels(
            activation.raw.row(image * input.locations), of: input,
            affine: activation.deferred?.affine, rectify: activation.deferred?.rectified ?? false)
    }

    /// `output = factor · sums over windows` of images.
    func forward<Element: StorageElement>(
        _ images: Range<Int>, _ activation: Activation<Element>, into result: Tensor<Element>,
        _ scratch: Scratch
    ) {
        let (stride, kernel, rowsPerBand) = (padding.stride, padding.kernel, forwardRows)
        for image in images {
            let pixels = pixels(activation, image: image)
            for first in Swift.stride(from: 0, to: output.height, by: rowsPerBand) {
                let rows = first..<min(output.height, first + rowsPerBand)
                DepthwiseKernels.sum(
                    pixels,
                    tile: .init(
                        scratch.tile, rows: kernel, rowLength: outputBands.rowLength,
                        firstRow: first * stride - padding.before(input.height),
                        margin: padding.before(input.width)),
                    [
                        (
                            .init(
                                rows: rows.count, columns: output.width, stride: stride,
                                height: kernel, width: kernel, result: .init(row: output.width)),
                            scratch.weights
                        )
                    ],
                    into: result.row(image * output.locations + first * output.width),
                    factors: scratch.factors.map { $0 + first * output.width },
                    ahead: aheadOfNext(
                        image: image, images: images, rows: rows, rowsPerBand: rowsPerBand,
                        activation.raw, result))
            }
        }
    }

    /// Adds an image's part of the kernel's gradient to `scratch.sums`.
    func addKernelGradient<Element: StorageElement>(
        image: Int, of images: Range<Int>, _ gradient: Tensor<Element>,
        input activation: Activation<Element>, _ scratch: Scratch
    ) {
        let pixels = pixels(activation, image: image)
        for band in outputBands.all {
            DepthwiseKernels.addProducts(
                pixels,
                tile: .init(
                    scratch.bandTile, rows: outputBands.tileCount / outputBands.rowLength,
                    rowLength: outputBands.rowLength,
                    firstRow: band.lowerBound * padding.stride - padding.before(input.height),
                    margin: padding.before(input.width)),
                .init(
                    rows: band.count, columns: output.width, stride: padding.stride,
                    height: padding.kernel, width: padding.kernel,
                    result: .init(row: output.width)),
                gradient: gradient.row(
                    image * output.locations + band.lowerBound * output.width),
                to: scratch.sums,
                ahead: aheadOfNext(
                    image: image, images: images, rows: band,
                    rowsPerBand: outputBands.rowsPerBand, activation.raw, gradient))
        }
    }

    /// Writes `scratch.sums` to `result`, `[k, k, C]`.
    func storeKernelGradient(_ scratch: Scratch, into result: UnsafeMutablePointer<Float>) {
        let channels = input.channels
        for block in 0..<blockCount {
            let channel = DepthwiseKernels.firstChannel(ofBlock: block, of: channels)
            for tap in 0..<taps {
                (result + tap * channels + channel).update(
                    from: scratch.sums + (block * taps + tap) * 16, count: min(16, channels))
            }
        }
    }

    /// Runs `body` for each band of rows of the input, whose gradient is in `scratch.dense`.
    ///
    /// - Parameter destination: Where `body` brings it, `[N, H, W, C]`.
    func backward<Element: StorageElement>(
        image: Int, _ gradient: Tensor<Element>, destination: Tensor<Element>, _ scratch: Scratch,
        _ body: (_ rows: Range<Int>) -> Void
    ) {
        let pixels = DepthwiseKernels.Pixels(
            gradient.row(image * output.locations), of: output,
            factors: scratch.factors.map { UnsafePointer($0) })
        for band in inputBands.all {
            let first = (image * input.height + band.lowerBound) * input.width
            let rows = first..<(first + band.count * input.width)
            DepthwiseKernels.sum(
                pixels,
                tile: .init(
                    scratch.tile, rows: backwardTileRows, rowLength: inputBands.rowLength,
                    firstRow: firstReader(of: band.lowerBound), margin: margin),
                readers(ofBand: band, weights: scratch.weights), into: scratch.dense,
                ahead: DepthwiseKernels.Ahead(
                    (UnsafePointer(destination.row(rows.lowerBound)), rows.count * input.channels),
                    (UnsafePointer(destination.pointer), 0)))
            body(rows)
        }
    }
}
