import Tensors

/// A convolution without bias, in the form that does it with the least work.
public enum Convolution<Element: StorageElement>: Sendable {
    /// 1×1, stride 1: the activations are the matrix that is multiplied.
    case pointwise(PointwiseConvolution<Element>)
    /// 3×3, stride 1, many channels: tiles are transformed.
    case winograd(WinogradConvolution<Element>)
    /// Anything else: patches are gathered.
    case spatial(SpatialConvolution<Element>)

    /// Registers the kernel below `path` and chooses the form.
    ///
    /// - Parameters:
    ///   - mapSize: The input's side, where it is known: the form then fits it.
    ///   - initial: How the kernel starts; nil: as `Parameter.Initial.kernel` says.
    public init(
        _ path: String, inputChannels: Int, outputChannels: Int, geometry: PatchGeometry,
        mapSize: Int? = nil, initial: Parameter.Initial? = nil, layout: inout ParameterLayout
    ) {
        if geometry == PatchGeometry(kernel: 1) {
            self = .pointwise(
                PointwiseConvolution(
                    path, inputChannels: [inputChannels], outputChannels: outputChannels,
                    initial: initial, layout: &layout))
        } else if WinogradConvolution<Element>.fits(
            geometry, inputChannels: inputChannels, outputChannels: outputChannels),
            mapSize.map({ $0 >= WinogradConvolution<Element>.leastMapSize }) ?? true
        {
            self = .winograd(
                WinogradConvolution(
                    path, inputChannels: inputChannels, outputChannels: outputChannels,
                    geometry: geometry, initial: initial, layout: &layout))
        } else {
            self = .spatial(
                SpatialConvolution(
                    path, inputChannels: inputChannels, outputChannels: outputChannels,
                    geometry: geometry, initial: initial, layout: &layout))
        }
    }

    /// The output for an input of `shape`.
    public func outputShape(_ shape: Shape) -> Shape {
        switch self {
        case .pointwise(let convolution):
            Shape(shape.images, shape.height, shape.width, convolution.outputChannels)
        case .winograd(let convolution):
            convolution.outputShape(shape)
        case .spatial(let convolution):
            convolution.outputShape(shape)
        }
    }

    /// Asks the workspace for what forward and backward need on an input of `shape`.
    public func plan(input shape: Shape, in workspace: Workspace) {
        switch self {
        case .pointwise(let convolution): convolution.plan(in: workspace)
        case .winograd(let convolution): convolution.plan(input: shape, in: workspace)
        case .spatial(let convolution): convolution.plan(input: shape, in: workspace)
        }
    }

    /// The raw output, with the moments of the norm that follows in training mode.
    public func forward(
        _ input: Activation<Element>, into output: Tensor<Element>,
        momentsOf norm: NormBuffers?, pass: Pass
    ) {
        switch self {
        case .pointwise(let convolution):
            convolution.forward([input], into: output, momentsOf: norm, pass: pass)
        case .winograd(let convolution):
            convolution.forward(input, into: output, momentsOf: norm, pass: pass)
        case .spatial(let convolution):
            convolution.forward(input, into: output, momentsOf: norm, pass: pass)
        }
    }

    /// Reserves the kernel with the norm that follows folded in.
    func planFolded(in workspace: Workspace) -> FoldedKernel<Element> {
        switch self {
        case .pointwise(let convolution): convolution.planFolded(in: workspace)
        case .winograd(let convolution): convolution.planFolded(in: workspace)
        case .spatial(let convolution): convolution.planFolded(in: workspace)
        }
    }

    /// Folds in `norm`, whose scale and shift are known.
    func fold(_ folded: FoldedKernel<Element>, norm: NormBuffers, store: ParameterStore) {
        switch self {
        case .pointwise(let convolution): convolution.fold(folded, norm: norm, store: store)
        case .winograd(let convolution): convolution.fold(folded, norm: norm, store: store)
        case .spatial(let convolution): convolution.fold(folded, norm: norm, store: store)
        }
    }

    /// The final output `relu(norm(input ∗ kernel))`.
    func forward(
        _ input: Activation<Element>, folded: FoldedKernel<Element>,
        into output: Tensor<Element>, pass: Pass
    ) {
        switch self {
        case .pointwise(let convolution):
            convolution.forward(
                input, folded: folded, adding: nil, rectified: true, into: output, pass: pass)
        case .winograd(let convolution):
            convolution.forward(
                input, folded: folded, rectified: true, into: output, pass: pass)
        case .spatial(let convolution):
            convolution.forward(
                input, folded: folded, rectified: true, into: output, pass: pass)
        }
    }

    /// One use of the layer in a step, as its backward pass sees it.
    public struct Use: Sendable {
        let gradient: GradientSource<Element>
        let input: Activation<Element>
        let sink: GradientSink<Element>?

        /// Names a use: the gradient of its raw output, what forward read, and where the gradient
        /// of that goes, if it is wanted.
        public init(
            _ gradient: GradientSource<Element>, input: Activation<Element>,
            sink: GradientSink<Element>?
        ) {
            (self.gradient, self.input, self.sink) = (gradient, input, sink)
        }
    }

    /// The gradients of the kernel and, where there is a sink, of the input, of a layer that was
    /// used once.
    public func backward(
        _ gradient: GradientSource<Element>, input: Activation<Element>,
        sink: GradientSink<Element>?, pass: Pass
    ) {
        backward([Use(gradient, input: input, sink: sink)], pass: pass)
    }

    /// Inverts `output = input ∗ kernel` for the kernel, summed over all uses, and, where there is a
    /// sink, for each use's input.
    public func backward(_ uses: [Use], pass: Pass) {
        switch self {
        case .pointwise(let convolution):
            convolution.backward(
                uses.map { .init($0.gradient, inputs: [$0.input], sinks: [$0.sink]) }, pass: pass)
        case .winograd(let convolution):
            convolution.backward(uses, pass: pass)
        case .spatial(let convolution):
            convolution.backward(
                uses.map {
                    .init(
                        $0.gradient, input: $0.input,
                        inputGradient: $0.sink.map { .pixels($0) } ?? .none)
                }, pass: pass)
        }
    }
}
