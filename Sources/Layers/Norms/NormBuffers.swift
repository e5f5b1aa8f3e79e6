import Tensors

/// The per-channel vectors of one batch norm during a step, and its shards' sums.
public struct NormBuffers: Sendable {
    let channels: Int
    /// What readers apply: `scale·raw + shift`.
    let scale: Tensor<Float>
    let shift: Tensor<Float>
    /// The mean that normalised the values.
    let mean: Tensor<Float>
    let p: Tensor<Float>
    let q: Tensor<Float>
    let r: Tensor<Float>
    /// Mean and variance of the batch, `[2, C]`, kept for backward.
    let batch: Tensor<Double>
    /// Per shard Σ raw and Σ raw², `[shards, 2, C]`.
    let moments: Tensor<Double>
    /// Per shard Σ gradient and Σ gradient·(raw − mean), `[shards, 2, C]`.
    let gradientSumTable: Tensor<Double>

    /// Reserves the vectors for `channels` channels.
    public init(channels: Int, in workspace: Workspace) {
        let arena = workspace.arena
        self.channels = channels
        scale = Tensor(vector: channels, in: arena)
        shift = Tensor(vector: channels, in: arena)
        mean = Tensor(vector: channels, in: arena)
        p = Tensor(vector: channels, in: arena)
        q = Tensor(vector: channels, in: arena)
        r = Tensor(vector: channels, in: arena)
        batch = Tensor(vector: 2 * channels, in: arena)
        let tableCount = max(1, workspace.shardCapacity) * 2 * channels
        moments = Tensor(vector: tableCount, in: arena)
        gradientSumTable = Tensor(vector: tableCount, in: arena)
    }

    /// The coefficients of a norm whose statistics are constants: p = scale, q = r = 0.
    func keepScale() {
        p.pointer.update(from: scale.pointer, count: channels)
        q.pointer.update(repeating: 0, count: channels)
        r.pointer.update(repeating: 0, count: channels)
    }

    var coefficients: GradientKernels.Coefficients {
        GradientKernels.Coefficients(p: p.pointer, q: q.pointer, r: r.pointer)
    }

    func clearedMoments(shard: Int) -> UnsafeMutablePointer<Double> {
        let sums = moments.pointer + shard * 2 * channels
        sums.update(repeating: 0, count: 2 * channels)
        return sums
    }

    func gradientSums(shard: Int) -> UnsafeMutablePointer<Double> {
        gradientSumTable.pointer + shard * 2 * channels
    }

    func clearGradientSums(shard: Int) {
        gradientSums(shard: shard).update(repeating: 0, count: 2 * channels)
    }
}
