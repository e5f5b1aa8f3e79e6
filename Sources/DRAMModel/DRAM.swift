import Layers
import Tensors

/// The Deep Recurrent Attention Model that the Saccader is compared with (Ba, Mnih, Kavukcuoglu,
/// arXiv 1412.7755), as the Saccader's authors built it: glimpse network, classification cell,
/// logits, location cell and emission. A value that names parameters; the numbers are in a
/// `ParameterStore`.
///
///     context:   a step at the middle with all resolutions; the classification state is dropped,
///                the location state kept; its mean is where the first glimpse goes
///     t = 1…T:   a step at l_t with the finest K resolutions: logits_t, and the mean of l_(t+1)
public struct DRAM<Element: StorageElement>: Sendable {
    /// The dimensions.
    public let configuration: DRAMConfiguration
    /// The windows.
    public let geometry: GlimpseGeometry
    /// All parameters and statistics: those of the classification first, then the location's.
    public let layout: ParameterLayout
    let glimpse: PreActivationTrunk<Element>
    let classificationCell: LSTMCell<Element>
    let logits: PointwiseConvolution<Element>
    let locationCell: LSTMCell<Element>
    let emission: Emission
    /// The glimpse network's.
    let glimpseParameters: [Parameter]

    /// Makes the layers; `configuration.problem(imageSize:)` must be nil.
    public init(_ configuration: DRAMConfiguration, imageSize: Int) {
        self.configuration = configuration
        let sizes = configuration.dram
        geometry = GlimpseGeometry(
            imageSize: imageSize, glimpseSize: sizes.glimpseSize, resolutions: sizes.resolutions)
        var layout = ParameterLayout(.classification)
        glimpse = PreActivationTrunk(
            "dram/glimpse",
            sizes: .init(
                imageSize: sizes.glimpseSize,
                inputChannels: GlimpseCut.channels * sizes.resolutions,
                stemChannels: sizes.stemChannels, planes: sizes.planes, blocks: sizes.blocks,
                strides: sizes.strides, expansion: sizes.expansion),
            style: .slim, norms: configuration.norms, layout: &layout)
        glimpseParameters = layout.parameters
        classificationCell = LSTMCell(
            "dram/classificationCell", inputs: glimpse.outputChannels,
            units: sizes.classificationUnits, layout: &layout)
        logits = PointwiseConvolution(
            "dram/logits", inputChannels: [sizes.classificationUnits],
            outputChannels: configuration.classes, bias: true,
            initial: .glorot(rows: sizes.classificationUnits, columns: configuration.classes),
            layout: &layout)
        layout.group = .policy
        locationCell = LSTMCell(
            "dram/locationCell", inputs: sizes.classificationUnits, units: sizes.locationUnits,
            layout: &layout)
        emission = Emission(
            "dram/emission", inputs: sizes.locationUnits, limit: geometry.limit, layout: &layout)
        self.layout = layout
    }

    /// Where the glimpse network has its values during a step.
    struct Glimpse: Sendable {
        /// What it sees, `[N, g, g, 5R]`; the memory is that of all steps.
        let window: Tensor<Element>
        let network: PreActivationTrunk<Element>.Buffers
    }

    /// Where what follows the glimpse network has its values during a step.
    struct State: Sendable {
        let classification: LSTMCell<Element>.Buffers
        /// `[N, 1, 1, c]`; none in the context.
        let logits: Tensor<Element>?
        /// None where no policy is followed.
        let location: LSTMCell<Element>.Buffers?
        /// Where the next glimpse goes, `[N, 1, 1, 2]`.
        let mean: Tensor<Float>?
    }

    /// Where one step of the model has its values.
    struct Step: Sendable {
        let glimpse: Glimpse
        let state: State

        /// `[N, 1, 1, f]`.
        var features: Tensor<Element> { glimpse.network.output }
    }

    /// Reserves what a glimpse network sees; given back when no further network needs it.
    func planWindow(in workspace: Workspace) -> Tensor<Element> {
        let size = geometry.glimpseSize
        let count = GlimpseCut(geometry: geometry).count
        workspace.needScratch(count)
        return Tensor(
            Shape(workspace.imageCapacity, size, size, count / (size * size)),
            in: workspace.arena)
    }

    func planGlimpse(
        _ window: Tensor<Element>, frozenCount: Int = 0, in workspace: Workspace
    ) -> Glimpse {
        Glimpse(
            window: window,
            network: glimpse.plan(images: window, frozenCount: frozenCount, in: workspace))
    }

    func planState(classifies: Bool, choosesPlace: Bool, in workspace: Workspace) -> State {
        if classifies { logits.plan(in: workspace) }
        let shape = Shape(workspace.imageCapacity, 1, 1, configuration.classes)
        return State(
            classification: classificationCell.plan(in: workspace),
            logits: classifies ? Tensor(shape, in: workspace.arena) : nil,
            location: choosesPlace ? locationCell.plan(in: workspace) : nil,
            mean: choosesPlace ? emission.plan(in: workspace) : nil)
    }

    /// Where a step's windows lie, and the state that it goes on from.
    struct StepInput {
        /// The place of each row.
        let place: (_ row: Int) -> Place
        /// How many windows show the image.
        let resolutions: Int
        /// The buffers of the step before, where it goes on; nil: the state is 0.
        let classification: LSTMCell<Element>.Buffers?
        let location: LSTMCell<Element>.Buffers?
    }

    /// Fills a step's values.
    ///
    /// - Parameters:
    ///   - images: `[B, H, H, 3]`.
    ///   - samples: Rows of each image, one after the other.
    ///   - choosesPlace: Whether the next place is wanted.
    ///   - pass: Over the rows.
    func forward(
        _ step: Step, images: [Float], samples: Int, input: StepInput, choosesPlace: Bool = true,
        mode: NormMode, pass: Pass
    ) throws {
        let state = step.state
        cut(
            images, samples: samples, at: input.place, resolutions: input.resolutions,
            into: step.glimpse.window, pass: pass)
        try glimpse.forward(step.glimpse.network, mode: mode, pass: pass)
        classificationCell.forward(
            state.classification, input: step.features, after: input.classification, pass: pass)
        let output = state.classification.output
        if let values = state.logits {
            logits.forward([Activation(final: output)], into: values, pass: pass)
        }
        if choosesPlace, let location = state.location, let mean = state.mean {
            locationCell.forward(location, input: output, after: input.location, pass: pass)
            emission.forward(location.output, into: mean, pass: pass)
        }
    }

    /// Cuts out each row's glimpse, `[N, g, g, 5R]`.
    func cut(
        _ images: [Float], samples: Int, at place: (_ row: Int) -> Place, resolutions: Int,
        into window: Tensor<Element>, pass: Pass
    ) {
        let cut = GlimpseCut(geometry: geometry)
        let pixels = geometry.imageSize * geometry.imageSize * 3
        precondition(
            images.count * samples == pass.imageCount * pixels,
            "\(images.count) numbers are not \(pass.imageCount) rows of \(samples) to an image")
        images.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            pass.forEachShard { _, rows, scratch in
                for row in rows {
                    cut(
                        base + row / samples * pixels, at: place(row),
                        resolutions: resolutions, into: scratch)
                    RowKernels.store(
                        scratch, count: cut.count,
                        into: window.pointer + row * cut.count)
                }
            }
        }
    }
}
