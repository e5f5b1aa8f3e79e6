import Layers
import Models
import Tensors

/// The cell on a batch of features: what the location and joint stages share.
struct CellRunner<Element: StorageElement>: Sendable {
    let cell: SaccaderCell
    let features: Tensor<Element>
    let buffers: SaccaderCell.Buffers
    /// One gradient of a per shard, `[shards, d]`.
    private let vectorPartials: Tensor<Float>

    init(
        _ cell: SaccaderCell, features: Tensor<Element>, glimpses: Int, samples: Int,
        in workspace: Workspace
    ) {
        self.cell = cell
        self.features = features
        buffers = cell.plan(
            glimpses: glimpses, samples: samples, locations: features.shape.locations,
            in: workspace)
        vectorPartials = Tensor(
            vector: max(1, workspace.shardCapacity) * cell.channels, in: workspace.arena)
    }

    private var locations: Int { features.shape.locations }

    /// F of one image, `[P, d]`.
    private func rows(
        _ image: Int, scratch: UnsafeMutablePointer<Float>
    ) -> UnsafeMutablePointer<Float> {
        Activation(final: features).rows(
            (image * locations)..<((image + 1) * locations), scratch: scratch)
    }

    /// Runs all trajectories of one image.
    func run(
        _ image: Int, store: ParameterStore, scratch: UnsafeMutablePointer<Float>,
        choose: (_ sample: Int, _ glimpse: Int, _ logits: UnsafeMutablePointer<Float>) -> Int
    ) {
        let features = rows(image, scratch: scratch)
        for sample in 0..<buffers.samples {
            cell.run(
                features: features, locationCount: locations, store: store, into: buffers,
                image: image, sample: sample, scratch: scratch + locations * cell.channels
            ) { choose(sample, $0, $1) }
        }
    }

    /// −log π of the chosen place at each glimpse, summed over the trajectory's glimpses.
    func negativeLogLikelihood(
        _ image: Int, _ sample: Int, scratch: UnsafeMutablePointer<Float>
    ) -> Double {
        var sum = 0.0
        for t in 0..<buffers.glimpses {
            let logits = buffers.logits(image, sample) + t * locations
            scratch.update(from: logits, count: locations)
            let logSum = Softmax.apply(scratch, count: locations)
            sum += logSum - Double(logits[Int(buffers.locations(image, sample)[t])])
        }
        return sum
    }

    /// The gradients of F (overwritten) and of a (this rank's sum), where each trajectory's loss is
    /// `weight(image, sample)·Σ_t −log π(l_t)`.
    func backward(
        into featuresGradient: Tensor<Element>, pass: Pass,
        weight: (_ image: Int, _ sample: Int) -> Float
    ) {
        backward(into: featuresGradient, pass: pass) { image, sample, upstream in
            let factor = weight(image, sample)
            let chosen = buffers.locations(image, sample)
            upstream.update(
                from: buffers.logits(image, sample), count: buffers.glimpses * locations)
            // Of −log softmax(R)[l]: softmax(R) − onehot(l).
            for t in 0..<buffers.glimpses {
                let row = upstream + t * locations
                Softmax.apply(row, count: locations)
                row[Int(chosen[t])] -= 1
                for place in 0..<locations { row[place] *= factor }
            }
        }
    }

    /// The gradients of F (overwritten) and of a (this rank's sum) from those of R.
    ///
    /// - Parameter fill: Writes a trajectory's gradient of R, `[T, P]`.
    func backward(
        into featuresGradient: Tensor<Element>, pass: Pass,
        fill: (_ image: Int, _ sample: Int, _ logitsGradient: UnsafeMutablePointer<Float>) -> Void
    ) {
        let (d, glimpses) = (cell.channels, buffers.glimpses)
        pass.forEachShard { shard, images, scratch in
            let vectorGradient = vectorPartials.pointer + shard * d
            vectorGradient.update(repeating: 0, count: d)
            let gradient = scratch + locations * d
            let upstream = gradient + locations * d
            let rest = upstream + glimpses * locations
            for image in images {
                let features = rows(image, scratch: scratch)
                gradient.update(repeating: 0, count: locations * d)
                for sample in 0..<buffers.samples {
                    fill(image, sample, upstream)
                    cell.backward(
                        logitsGradient: upstream, features: features, locationCount: locations,
                        store: pass.store, buffers: buffers, image: image, sample: sample,
                        featuresGradient: gradient, vectorGradient: vectorGradient, scratch: rest)
                }
                RowKernels.store(
                    gradient, count: locations * d, into: featuresGradient.row(image * locations))
            }
        }
        TreeSum.sum(vectorPartials.pointer, count: pass.shards.count, length: d, over: pass.pool)
        pass.store.gradient(cell.vector).update(from: vectorPartials.pointer, count: d)
        pass.complete([cell.vector])
    }

    /// The cell's arrays of a trace; a stage without samples has no leading dimension for them.
    func trace(imageCount: Int, withSamples: Bool) -> [TracedArray] {
        let (samples, glimpses) = (buffers.samples, buffers.glimpses)
        let grid = [features.shape.height, features.shape.width]
        var logits: [Float] = []
        var places: [Int32] = []
        for sample in 0..<samples {
            for image in 0..<imageCount {
                logits += Array(
                    UnsafeBufferPointer(
                        start: buffers.logits(image, sample), count: glimpses * locations))
                places += Array(
                    UnsafeBufferPointer(start: buffers.locations(image, sample), count: glimpses))
            }
        }
        let leading = withSamples ? [samples, imageCount] : [imageCount]
        return [
            TracedArray(
                "mixing/features", Activation(final: features), imageCount: imageCount),
            TracedArray("cell/logits", leading + [glimpses] + grid, .floats(logits)),
            TracedArray("cell/locations", leading + [glimpses], .integers(places)),
        ]
    }
}
