import Tensors
import Testing

@testable import Layers

/// The guide's example of a layer (Contributing: A layer): a factor for each channel,
/// `output = input·factor`, `[N, H, W, C]`.
struct ChannelScale<Element: StorageElement>: Sendable {
    private let factor: Parameter
    private let channels: Int

    /// Registers `path/factor`, which starts at 1.
    init(_ path: String, channels: Int, layout: inout ParameterLayout) {
        self.channels = channels
        factor = layout.parameter(
            "\(path)/factor", shape: [channels], decays: false, initial: .constant(1))
    }

    /// Asks the workspace for what forward and backward need: two chunks of rows for each thread and,
    /// in training, the shards' parts of the factor's gradient.
    func plan(in workspace: Workspace) {
        workspace.needScratch(2 * workspace.chunkRows * channels)
        if workspace.keepsActivations { workspace.needPartials(channels) }
    }

    /// Overwrites `output`.
    func forward(_ input: Activation<Element>, into output: Tensor<Element>, pass: Pass) {
        let factors = pass.store.values(factor)
        pass.forEachShard { _, images, scratch in
            let result = scratch + pass.workspace.chunkRows * channels
            pass.forEachChunk(of: images, locations: input.shape.locations) { rows in
                // The memory itself where nothing is deferred: it is read only.
                let values = input.rows(rows, scratch: scratch)
                for index in 0..<(rows.count * channels) {
                    result[index] = values[index] * factors[index % channels]
                }
                RowKernels.store(
                    result, count: rows.count * channels, into: output.row(rows.lowerBound))
            }
        }
    }

    /// Inverts `output = input·factor` for the factor, `Σ_rows input·outputGradient`, and for the
    /// input, `outputGradient·factor`.
    func backward(
        _ outputGradient: Tensor<Element>, input: Activation<Element>,
        sink: GradientSink<Element>, pass: Pass
    ) {
        let factors = pass.store.values(factor)
        // A shard's part is formed in a fixed order here; the tree over shards and ranks follows.
        pass.sumOverShards(into: [factor]) { shard, images, scratch, partial in
            let gradient = scratch + pass.workspace.chunkRows * channels
            partial.update(repeating: 0, count: channels)
            sink.begin(shard: shard)
            pass.forEachChunk(of: images, locations: input.shape.locations) { rows in
                let values = input.rows(rows, scratch: scratch)
                let upstream = outputGradient.row(rows.lowerBound)
                for index in 0..<(rows.count * channels) {
                    let (channel, slope) = (index % channels, upstream[index].widened)
                    partial[channel] += values[index] * slope
                    gradient[index] = slope * factors[channel]
                }
                // The sink masks by the ReLU and gathers the sums of the norm before this layer.
                sink.finish(gradient, rows: rows, shard: shard)
            }
        }
    }
}

@Test func theGuidesLayerHasTheRightGradient() throws {
    let subject = GradientSubject(size: 3, channels: 4)
    let layer = ChannelScale<Float>("layer", channels: 4, layout: &subject.layout)
    layer.plan(in: subject.workspace)
    let output = Tensor<Float>(subject.input.shape, in: subject.workspace.arena)
    subject.reserve(output.shape)
    let read = Activation(rectifying: subject.input)
    subject.forward = { layer.forward(read, into: output, pass: $0) }
    subject.output = { output.elements() }
    subject.backward = { [gradient = subject.gradient, upstream = subject.upstream] in
        layer.backward(
            upstream, input: read, sink: GradientSink(gradient, mask: read), pass: $0)
    }
    try subject.check(step: 1 / 64, bound: 1e-3)
}
