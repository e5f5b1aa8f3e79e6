import Tensors

/// The largest value of each channel in each window, SAME margins: pixels beyond the border do not
/// count, so that the largest may be negative.
public struct SameMaxPooling<Element: StorageElement>: Sendable {
    /// The windows.
    public let padding: SamePadding

    /// Pools over windows.
    public init(_ padding: SamePadding) { self.padding = padding }

    /// The output for an input of `shape`.
    public func outputShape(_ shape: Shape) -> Shape {
        Shape(
            shape.images, padding.outputSize(shape.height), padding.outputSize(shape.width),
            shape.channels)
    }

    /// Asks the workspace for what forward and backward need on an input of `shape`.
    public func plan(input shape: Shape, in workspace: Workspace) {
        let image = shape.locations * shape.channels
        workspace.needScratch(2 * image + (shape.width + 1) * shape.channels)
    }

    /// `output = max over windows of input`, `[N, h, w, C]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func forward(
        _ input: Activation<Element>, into output: Tensor<Element>, pass: Pass
    ) {
        let (shape, channels) = (output.shape, output.shape.channels)
        pass.forEachShard { _, images, scratch in
            let rest = scratch + shape.width * channels
            for image in images {
                let pixels = rows(of: image, in: input, scratch: rest)
                for i in 0..<shape.height {
                    for j in 0..<shape.width {
                        largest(pixels, input.shape, (i, j), into: scratch + j * channels)
                    }
                    RowKernels.store(
                        scratch, count: shape.width * channels,
                        into: output.row((image * shape.height + i) * shape.width))
                }
            }
        }
    }

    /// Gives each output's gradient to the first pixel of its window that has the largest value.
    ///
    /// - Parameter outputGradient: `[N, h, w, C]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func backward(
        _ outputGradient: Tensor<Element>, input: Activation<Element>,
        sink: GradientSink<Element>, pass: Pass
    ) {
        let (shape, channels) = (outputGradient.shape, outputGradient.shape.channels)
        let (locations, count) = (input.shape.locations, input.shape.locations * channels)
        pass.forEachShard { shard, images, scratch in
            sink.begin(shard: shard)
            let (best, row) = (scratch, scratch + channels)
            let gradient = row + shape.width * channels
            for image in images {
                let pixels = rows(of: image, in: input, scratch: gradient + count)
                gradient.update(repeating: 0, count: count)
                for i in 0..<shape.height {
                    let first = (image * shape.height + i) * shape.width
                    let upstream = Activation(final: outputGradient).rows(
                        first..<(first + shape.width), scratch: row)
                    for j in 0..<shape.width {
                        largest(pixels, input.shape, (i, j), into: best)
                        forEachTap(input.shape, (i, j)) { pixel in
                            let value = pixels + pixel * channels
                            let target = gradient + pixel * channels
                            let part = upstream + j * channels
                            for channel in 0..<channels where value[channel] == best[channel] {
                                target[channel] += part[channel]
                                // Nothing finite equals it any more: of equal pixels one is enough.
                                best[channel] = .infinity
                            }
                        }
                    }
                }
                sink.finish(
                    gradient, rows: (image * locations)..<((image + 1) * locations), shard: shard)
            }
        }
    }

    private func rows(
        of image: Int, in input: Activation<Element>, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        let locations = input.shape.locations
        return input.rows((image * locations)..<((image + 1) * locations), scratch: scratch)
    }

    /// The largest value of each channel in the window of output (i, j); a NaN stays one.
    private func largest(
        _ pixels: UnsafePointer<Float>, _ shape: Shape, _ output: (Int, Int),
        into result: UnsafeMutablePointer<Float>
    ) {
        let channels = shape.channels
        result.update(repeating: -.infinity, count: channels)
        forEachTap(shape, output) { pixel in
            let values = pixels + pixel * channels
            for channel in 0..<channels {
                let value = values[channel]
                result[channel] =
                    value > result[channel] || value.isNaN ? value : result[channel]
            }
        }
    }

    /// The pixels of an image of `shape` in the window of output (i, j), row by row.
    private func forEachTap(_ shape: Shape, _ output: (i: Int, j: Int), _ body: (Int) -> Void) {
        let top = padding.stride * output.i - padding.before(shape.height)
        let left = padding.stride * output.j - padding.before(shape.width)
        for y in max(0, top)..<min(shape.height, top + padding.kernel) {
            for x in max(0, left)..<min(shape.width, left + padding.kernel) {
                body(y * shape.width + x)
            }
        }
    }
}
