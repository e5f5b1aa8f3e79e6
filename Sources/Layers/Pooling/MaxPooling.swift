import Tensors

/// The largest value of each channel in each window; pixels beyond the border do not count, so that
/// the largest may be negative.
public struct MaxPooling<Element: StorageElement>: Sendable {
    private enum Windows: Sendable {
        case taps(PatchGeometry)
        case same(SamePadding)
    }

    private let windows: Windows

    /// Pools over the windows of `geometry`; each must hold at least one pixel.
    public init(_ geometry: PatchGeometry) { windows = .taps(geometry) }

    /// Pools over windows with SAME margins.
    public init(_ padding: SamePadding) { windows = .same(padding) }

    /// The output for an input of `shape`.
    public func outputShape(_ shape: Shape) -> Shape {
        func size(_ inputSize: Int) -> Int {
            switch windows {
            case .taps(let geometry): geometry.outputSize(inputSize)
            case .same(let padding): padding.outputSize(inputSize)
            }
        }
        return Shape(shape.images, size(shape.height), size(shape.width), shape.channels)
    }

    private func windows(on shape: Shape) -> MaxWindows {
        switch windows {
        case .taps(let geometry): MaxWindows(geometry, on: shape)
        case .same(let padding): MaxWindows(padding, on: shape)
        }
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
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func forward(
        _ input: Activation<Element>, into output: Tensor<Element>,
        momentsOf norm: NormBuffers? = nil, pass: Pass
    ) {
        let shape = output.shape
        let windows = windows(on: input.shape)
        pass.forEachShard { shard, images, scratch in
            let moments = norm?.clearedMoments(shard: shard)
            let rest = scratch + shape.width * shape.channels
            for image in images {
                let pixels = rows(of: image, in: input, scratch: rest)
                for i in 0..<shape.height {
                    let row = (image * shape.height + i) * shape.width
                    let result = output.floatRow(row) ?? scratch
                    windows.largest(row: i, width: shape.width, of: pixels, into: result)
                    output.store(result, rows: row..<(row + shape.width), momentsTo: moments)
                }
            }
        }
    }

    /// Inverts `output = max over windows of input`: gives each output's gradient to the first pixel
    /// of its window that has the largest value.
    ///
    /// - Parameter outputGradient: `[N, h, w, C]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func backward(
        _ outputGradient: Tensor<Element>, input: Activation<Element>,
        sink: GradientSink<Element>, pass: Pass
    ) {
        let (shape, channels) = (outputGradient.shape, outputGradient.shape.channels)
        let windows = windows(on: input.shape)
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
                    windows.addGradient(
                        row: i, width: shape.width, outputGradient: upstream, pixels: pixels,
                        best: best, to: gradient)
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
}
