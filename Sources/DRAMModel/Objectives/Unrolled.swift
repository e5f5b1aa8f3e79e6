import Layers
import Models
import Tensors

/// The model over the steps of a training trajectory, S of them for each image.
///
/// Every step has memory of its own. Rows are trajectories: image·S + sample.
struct Unrolled<Element: StorageElement>: Sendable {
    let model: DRAM<Element>
    let samples: Int
    let frozen: FrozenDRAM
    /// The context, where a policy is followed, and T glimpses.
    let steps: [DRAM<Element>.Step]
    /// Steps before the first glimpse.
    let contextCount: Int
    /// l_t, `[N, T, 1, 2]`.
    let places: Tensor<Float>

    /// Plans the steps.
    ///
    /// - Parameter followsPolicy: Whether the model chooses its places.
    init(
        _ model: DRAM<Element>, settings: DRAMStageSettings, followsPolicy: Bool,
        in workspace: Workspace
    ) {
        self.model = model
        samples = settings.samples
        frozen = FrozenDRAM(settings.freeze, of: model.configuration)
        contextCount = followsPolicy ? 1 : 0
        // Before frozen steps give back what later ones may take.
        places = Tensor(
            Shape(workspace.imageCapacity, settings.glimpses, 1, 2), in: workspace.arena)
        let window = model.planWindow(in: workspace)
        var steps: [DRAM<Element>.Step] = []
        for index in 0..<(settings.glimpses + contextCount) {
            let glimpse = model.planGlimpse(
                window, frozenCount: frozen.glimpseCount, in: workspace)
            let state = model.planState(
                classifies: index >= contextCount, choosesPlace: followsPolicy, in: workspace)
            steps.append(DRAM.Step(glimpse: glimpse, state: state))
        }
        self.steps = steps
    }

    /// T.
    var glimpses: Int { steps.count - contextCount }

    /// The logits of each glimpse.
    var logits: [Tensor<Element>] { steps.compactMap(\.state.logits) }

    func place(_ row: Int, _ glimpse: Int) -> UnsafeMutablePointer<Float> {
        places.row(row * glimpses + glimpse)
    }

    /// m_t, from which the place of a glimpse was drawn.
    func mean(_ row: Int, _ glimpse: Int) -> UnsafeMutablePointer<Float>? {
        steps[glimpse + contextCount - 1].state.mean?.row(row)
    }

    /// The pass over a step's rows: the context's are the same for all samples of an image.
    private func rows(ofStep index: Int, pass: Pass) -> Pass {
        pass.repeated(samples, areCopies: index < contextCount)
    }

    /// Where the rows of a step look.
    private func place(ofStep index: Int, row: Int) -> Place {
        index < contextCount ? .center : Place(place(row, index - contextCount))
    }

    /// How many windows show the image in a step.
    private func resolutions(ofStep index: Int) -> Int {
        let sizes = model.configuration.dram
        return index < contextCount ? sizes.resolutions : sizes.classificationResolutions
    }

    /// Runs all steps.
    ///
    /// - Parameters:
    ///   - choose: Writes a glimpse's places, called before the glimpse is cut out.
    ///   - pass: Over the images.
    func forward(
        _ images: [Float], pass: Pass, choose: (_ glimpse: Int) -> Void
    ) throws {
        // All steps have the same weights, and the gradients' memory is free until backward.
        let kept = pass.workspace.keptWeights
        kept.start(in: memory(ofGradients: trained, pass.store))
        defer { kept.stop() }
        for (index, step) in steps.enumerated() {
            if index >= contextCount { choose(index - contextCount) }
            let previous = index > 0 ? steps[index - 1].state : nil
            try model.forward(
                step, images: images, samples: samples,
                input: .init(
                    place: { place(ofStep: index, row: $0) },
                    resolutions: resolutions(ofStep: index),
                    // The context's classification state is dropped.
                    classification: index > contextCount ? previous?.classification : nil,
                    location: previous?.location),
                mode: .training, pass: rows(ofStep: index, pass: pass))
        }
    }

    /// Cuts a step's glimpses out once more.
    func cut(_ images: [Float], step index: Int, into window: Tensor<Element>, pass: Pass) {
        model.cut(
            images, samples: samples, at: { place(ofStep: index, row: $0) },
            resolutions: resolutions(ofStep: index), into: window,
            pass: rows(ofStep: index, pass: pass))
    }

    /// The parameters that the stage trains.
    private var trained: [Parameter] {
        contextCount > 0
            ? model.layout.parameters
            : model.layout.parameters.filter { $0.group != .policy }
    }

    /// The memory of the gradients of parameters that lie one after the other.
    func memory(
        ofGradients parameters: [Parameter], _ store: ParameterStore
    ) -> UnsafeMutableRawBufferPointer {
        let ranges = parameters.map { store.range($0) }
        let first = ranges.map(\.lowerBound).min() ?? 0
        let gradients = store.allGradients[first..<(ranges.map(\.upperBound).max() ?? first)]
        return UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: gradients))
    }

    /// Writes places from numbers of their own for each trajectory and glimpse, or given ones.
    ///
    /// - Parameters:
    ///   - pass: Over the trajectories.
    ///   - draw: What numbers make of a trajectory's places, glimpse after glimpse.
    func fill(
        _ target: Tensor<Float>, _ source: GlimpseSource, pass: Pass,
        draw: (inout CounterRandom) -> (Double, Double)
    ) {
        let count = pass.imageCount / samples
        pass.forEachShard { _, rows, _ in
            for row in rows {
                let (image, sample) = row.quotientAndRemainder(dividingBy: samples)
                switch source {
                case .places(let given):
                    let first = (sample * count + image) * glimpses * 2
                    for index in 0..<(2 * glimpses) {
                        target.row(row * glimpses)[index] = given[first + index]
                    }
                case .sampled(let seed, let stream, let identifiers):
                    var random = CounterRandom(
                        seed: seed, purpose: .places, stream: stream,
                        index: UInt64(identifiers[image] * samples + sample))
                    for t in 0..<glimpses {
                        let (y, x) = draw(&random)
                        Place(y: Float(y), x: Float(x)).write(to: target.row(row * glimpses + t))
                    }
                case .fixed:
                    preconditionFailure("places of a grid are none in the plane")
                }
            }
        }
    }
}
