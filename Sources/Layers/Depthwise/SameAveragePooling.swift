import Tensors

/// What the mean of a window that reaches beyond the border divides by.
public enum PoolPadding: String, Codable, CaseIterable, Sendable {
    /// The pixels that exist.
    case excluded
    /// All of the window's, as if those beyond the border were 0.
    case zeros
}

/// The mean of each channel in each window, SAME margins.
public struct SameAveragePooling<Element: StorageElement>: Sendable {
    /// The windows.
    public let padding: SamePadding
    let divisor: PoolPadding

    /// Pools over windows.
    public init(_ padding: SamePadding, divisor: PoolPadding = .excluded) {
        (self.padding, self.divisor) = (padding, divisor)
    }

    private func sums(_ input: Shape) -> WindowSums {
        WindowSums(padding, input: input, hasWeights: false)
    }

    /// The output for an input of `shape`.
    public func outputShape(_ shape: Shape) -> Shape { sums(shape).output }

    /// Asks the workspace for what forward and backward need on an input of `shape`.
    public func plan(input shape: Shape, in workspace: Workspace) {
        workspace.needScratch(sums(shape).scratchCount(backward: workspace.keepsActivations))
    }

    private func factor(_ row: Int, _ column: Int, of input: Shape) -> Float {
        if divisor == .zeros { return 1 / Float(padding.kernel * padding.kernel) }
        return 1
            / Float(
                padding.pixelCount(row, inputSize: input.height)
                    * padding.pixelCount(column, inputSize: input.width))
    }

    /// `output = mean over windows of input`, `[N, h, w, C]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func forward(
        _ input: Activation<Element>, into output: Tensor<Element>, pass: Pass
    ) {
        let sums = sums(input.shape)
        pass.forEachShard { _, images, scratch in
            let scratch = sums.divide(
                scratch, backward: false, weights: nil,
                factor: { factor($0, $1, of: input.shape) })
            sums.forward(images, input, into: output, scratch)
        }
    }

    /// Inverts `output = mean over windows of input`: the input's gradient.
    ///
    /// - Parameter outputGradient: `[N, h, w, C]`.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func backward(
        _ outputGradient: Tensor<Element>, sink: GradientSink<Element>, pass: Pass
    ) {
        let shape = sink.destination.shape
        let sums = sums(shape)
        pass.forEachShard { shard, images, scratch in
            let scratch = sums.divide(
                scratch, backward: true, weights: nil, factor: { factor($0, $1, of: shape) })
            sink.begin(shard: shard)
            for image in images {
                sums.backward(
                    image: image, outputGradient, destination: sink.destination, scratch
                ) { rows in
                    sink.finish(scratch.dense, rows: rows, shard: shard)
                }
            }
        }
    }
}
