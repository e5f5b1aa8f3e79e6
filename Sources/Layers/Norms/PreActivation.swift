import Tensors

/// Batch norm → ReLU in front of a convolution, on a value that a shortcut reads as it is.
///
/// Source: He, Zhang, Ren, Sun, "Identity mappings in deep residual networks", ECCV 2016.
public struct PreActivation<Element: StorageElement>: Sendable {
    let norm: BatchNorm
    private let channels: Int

    /// Where the values lie during a step.
    public struct Buffers: Sendable {
        /// The value itself, `[N, H, W, C]`; whoever writes it gathers the moments of `norm`.
        public let input: Tensor<Element>
        /// The norm's vectors.
        public let norm: NormBuffers

        /// The value with norm and ReLU deferred.
        public var output: Activation<Element> { Activation(raw: input, norm: norm) }

        /// The norm that a gradient of the output passes next.
        public var normTarget: GradientSink<Element>.NormTarget {
            GradientSink.NormTarget(raw: input, norm: norm)
        }
    }

    /// Registers the norm at `path`.
    public init(
        _ path: String, channels: Int, configuration: BatchNormConfiguration,
        layout: inout ParameterLayout
    ) {
        self.channels = channels
        norm = BatchNorm(
            path, channels: channels, configuration: configuration, layout: &layout)
    }

    /// Reserves the norm's vectors for a value that is already planned.
    public func plan(input: Tensor<Element>, in workspace: Workspace) -> Buffers {
        // The gradient as it is stored, and in single precision.
        workspace.needScratch(2 * workspace.chunkRows * channels)
        return Buffers(input: input, norm: NormBuffers(channels: channels, in: workspace))
    }

    /// Turns the gathered moments, or the running statistics, into the deferred norm.
    public func forward(_ buffers: Buffers, mode: NormMode, pass: Pass) throws {
        try norm.finishForward(
            buffers.norm, locations: buffers.input.shape.locations, mode: mode, pass: pass)
    }

    /// One use of the norm in a step, as its backward pass sees it.
    public struct Use: Sendable {
        let buffers: Buffers
        let gradient: Tensor<Element>
        let shortcut: GradientSink<Element>.Added?

        /// Names a use.
        ///
        /// - Parameters:
        ///   - gradient: Of the output, masked and with the norm's sums gathered; overwritten with
        ///     the value's.
        ///   - shortcut: What the value's other reader has left, added to it.
        public init(
            _ buffers: Buffers, gradient: Tensor<Element>,
            adding shortcut: GradientSink<Element>.Added?
        ) {
            (self.buffers, self.gradient, self.shortcut) = (buffers, gradient, shortcut)
        }
    }

    /// The gradients of gamma and beta, and of the value itself, of a norm that was used once.
    public func backward(
        _ buffers: Buffers, gradient: Tensor<Element>, adding shortcut: Tensor<Element>?,
        pass: Pass
    ) throws {
        try backward(
            [Use(buffers, gradient: gradient, adding: shortcut.map { .init($0) })], pass: pass)
    }

    /// The gradients of gamma and beta, summed over all uses, and of each use's value.
    ///
    /// - Parameter wantsValues: Whether a gradient of the values is wanted.
    public func backward(_ uses: [Use], wantsValues: Bool = true, pass: Pass) throws {
        guard let shape = uses.first?.gradient.shape else { return }
        try norm.finishBackward(
            uses.map(\.buffers.norm), locations: shape.locations, mode: .training, pass: pass)
        guard wantsValues else { return }
        for use in uses { backwardValue(use, pass: pass) }
    }

    /// Inverts `output = relu(norm(input))` for the input; the mask is in the gradient already.
    private func backwardValue(_ use: Use, pass: Pass) {
        let (gradient, shape) = (use.gradient, use.buffers.input.shape)
        let source = GradientSource(gradient, through: use.buffers.norm, of: use.buffers.input)
        pass.forEachShard { _, images, scratch in
            pass.forEachChunk(of: images, locations: shape.locations) { rows in
                let count = rows.count * channels
                let values = scratch + pass.workspace.chunkRows * channels
                RowKernels.apply(
                    source.operand(rows, scratch: scratch), affine: nil, rectify: false,
                    rows: rows.count, channels: channels, into: values)
                use.shortcut?.add(to: values, rows: rows, of: shape)
                RowKernels.store(values, count: count, into: gradient.row(rows.lowerBound))
            }
        }
    }
}
