import Tensors

/// The largest value of each channel in each window; pixels beyond the border do not count.
public struct MaxPooling<Element: StorageElement>: Sendable {
    /// The windows.
    public let geometry: PatchGeometry

    /// Pools over the windows of `geometry`; each must hold at least one pixel.
    public init(_ geometry: PatchGeometry) { self.geometry = geometry }

    /// The output for an input of `shape`.
    public func outputShape(_ shape: Shape) -> Shape {
        Shape(
            shape.images, geometry.outputSize(shape.height), geometry.outputSize(shape.width),
            shape.channels)
    }

    /// Asks the workspace for what forward and backward need on an input of `shape`.
    public func plan(input shape: Shape, in workspace: Workspace) {
        let image = shape.locations * shape.channels
        let window = (outputShape(shape).width + 1) * shape.channels
        workspace.needScratch(window + (workspace.keepsActivations ? 2 : 1) * image)
    }

    /// `output = max over windows of input`, `[N, h, w, C]`.
    ///
    /// - Parameter norm: The batch norm that follows in training mode: its moments are gathered.
    public func forward(
        _ input: Tensor<Element>, into output: Tensor<Element>, momentsOf norm: NormBuffers?,
        pass: Pass
    ) {
        let (shape, channels) = (output.shape, output.shape.channels)
        pass.forEachShard { shard, images, scratch in
            let moments = norm?.clearedMoments(shard: shard)
            let rest = scratch + shape.width * channels
            for image in images {
                let pixels = self.pixels(of: image, in: input, scratch: rest)
                for i in 0..<shape.height {
                    let row = (image * shape.height + i) * shape.width
                    let result = output.floatRow(row) ?? scratch
                    for j in 0..<shape.width {
                        largest(pixels, input.shape, (i, j), into: result + j * channels)
                    }
                    output.store(result, rows: row..<(row + shape.width), momentsTo: moments)
                }
            }
        }
    }

    /// Gives each output's gradient to the first pixel of its window that has the largest value.
    ///
    /// - Parameter inputGradient: Overwritten, `[N, H, W, C]`.
    public func backward(
        _ outputGradient: Tensor<Element>, input: Tensor<Element>,
        into inputGradient: Tensor<Element>, pass: Pass
    ) {
        let (shape, channels) = (outputGradient.shape, outputGradient.shape.channels)
        let count = input.shape.locations * channels
        pass.forEachShard { _, images, scratch in
            let (best, row) = (scratch, scratch + channels)
            let gradient = row + shape.width * channels
            for image in images {
                let pixels = self.pixels(of: image, in: input, scratch: gradient + count)
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
                RowKernels.store(
                    gradient, count: count,
                    into: inputGradient.row(image * input.shape.locations))
            }
        }
    }

    private func pixels(
        of image: Int, in input: Tensor<Element>, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        let locations = input.shape.locations
        return Activation(final: input).rows(
            (image * locations)..<((image + 1) * locations), scratch: scratch)
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
        let (top, left) = (
            geometry.stride * output.i + geometry.offset,
            geometry.stride * output.j + geometry.offset
        )
        for u in 0..<geometry.kernel {
            let y = top + geometry.dilation * u
            guard y >= 0 && y < shape.height else { continue }
            for v in 0..<geometry.kernel {
                let x = left + geometry.dilation * v
                if x >= 0 && x < shape.width { body(y * shape.width + x) }
            }
        }
    }
}
