import Foundation
import Layers
import Models
import Tensors

/// The model over the steps of a training trajectory, S of them for each image.
///
/// Every step has memory of its own. Rows are trajectories: image·S + sample.
struct Unrolled<Element: StorageElement>: Sendable {
    let model: DRAM<Element>
    let samples: Int
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
        contextCount = followsPolicy ? 1 : 0
        var steps: [DRAM<Element>.Step] = []
        for index in 0..<(settings.glimpses + contextCount) {
            let glimpse = model.planGlimpse(in: workspace)
            let state = model.planState(
                classifies: index >= contextCount, choosesPlace: followsPolicy, in: workspace)
            steps.append(DRAM.Step(glimpse: glimpse, state: state))
        }
        self.steps = steps
        places = Tensor(
            Shape(workspace.imageCapacity, settings.glimpses, 1, 2), in: workspace.arena)
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

    /// Runs all steps.
    ///
    /// - Parameters:
    ///   - choose: Writes a glimpse's places, called before the glimpse is cut out.
    ///   - pass: Over the images.
    func forward(
        _ images: [Float], pass: Pass, choose: (_ glimpse: Int) -> Void
    ) throws {
        let sizes = model.configuration.dram
        let context = pass.repeated(samples, areCopies: true)
        let trajectories = pass.repeated(samples)
        for (index, step) in steps.enumerated() {
            let glimpse = index - contextCount
            if glimpse >= 0 { choose(glimpse) }
            let previous = index > 0 ? steps[index - 1] : nil
            try model.forward(
                step, images: images, samples: samples,
                look: .init(
                    place: { glimpse < 0 ? .center : Place(place($0, glimpse)) },
                    resolutions: glimpse < 0
                        ? sizes.resolutions : sizes.classificationResolutions,
                    // The context's classification state is dropped.
                    classification: glimpse > 0 ? previous?.state.classification : nil,
                    location: previous?.state.location),
                mode: .training, pass: glimpse < 0 ? context : trajectories)
        }
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
