import Tensors

/// Two batch norms one after the other, on the main path of a block with a projection.
///
/// The published code's quirk (`shortcutNorm: reference`): the second norm, which usually belongs
/// to the projected residual, normalises the main path after its own norm. Of z = norm₁(y) the
/// mean is beta₁ and the variance gamma₁²·v/(v + ε) exactly, so both together are one affine
/// function of y and need no second pass over memory.
public struct ChainedNorm: Normalization {
    let first: BatchNorm
    let second: BatchNorm

    /// Chains `first`, which sees the raw output, and `second`.
    public init(first: BatchNorm, second: BatchNorm) {
        (self.first, self.second) = (first, second)
    }

    public func finishForward(
        _ buffers: NormBuffers, locations: Int, mode: NormMode, pass: Pass
    ) throws {
        try first.finishForward(buffers, locations: locations, mode: mode, pass: pass)
        let (channels, batch) = (buffers.channels, buffers.batch.pointer)
        let count = first.valueCount(locations: locations, pass: pass)
        let (firstBetas, gammas, betas) = (
            pass.store.values(first.beta), pass.store.values(second.gamma),
            pass.store.values(second.beta)
        )
        for channel in 0..<channels {
            let scale = Double(buffers.scale.pointer[channel])
            var mean = Double(firstBetas[channel])
            var variance = scale * scale * batch[channels + channel]
            if mode == .inference {
                mean = Double(pass.store.values(second.mean)[channel])
                variance = Double(pass.store.values(second.variance)[channel])
            } else {
                second.follow(
                    channel: channel, mean: mean, variance: variance, count: count, pass: pass)
            }
            let factor =
                Double(gammas[channel]) / (variance + second.configuration.epsilon).squareRoot()
            let shift = Double(buffers.shift.pointer[channel])
            buffers.scale.pointer[channel] = Float(factor * scale)
            buffers.shift.pointer[channel] = Float(
                factor * (shift - mean) + Double(betas[channel]))
        }
    }

    public func finishBackward(
        _ buffers: NormBuffers, locations: Int, mode: NormMode, pass: Pass
    ) throws {
        if mode == .inference { return buffers.keepScale() }
        let (channels, batch) = (buffers.channels, buffers.batch.pointer)
        let count = first.valueCount(locations: locations, pass: pass)
        try first.reduceGradientSums([buffers], pass: pass)
        let sums = buffers.gradientSumTable.pointer
        for channel in 0..<channels {
            let variance = batch[channels + channel]
            let inverse = 1 / (variance + first.configuration.epsilon).squareRoot()
            // z = k·(y − mean) + beta₁; ẑ = k·u·(y − mean), u = 1/√(k²v + ε).
            let k = Double(pass.store.values(first.gamma)[channel]) * inverse
            let u = 1 / (k * k * variance + second.configuration.epsilon).squareRoot()
            let (sum, product) = (sums[channel], sums[channels + channel])
            let secondGamma = k * u * product
            second.setGradient(channel, gamma: secondGamma, beta: sum, pass: pass)
            // dz = a·(g − Σg/M − ẑ·Σgẑ/M): it sums to 0, so beta₁ has no gradient.
            let a = Double(pass.store.values(second.gamma)[channel]) * u
            let firstGamma = a * inverse * (product - secondGamma * k * u * variance)
            first.setGradient(channel, gamma: firstGamma, beta: 0, pass: pass)
            let p = k * a
            let q =
                count > 0
                ? -k * (a * k * u * secondGamma + inverse * firstGamma) / count : 0
            let r = (count > 0 ? -p * sum / count : 0) - q * batch[channel]
            buffers.p.pointer[channel] = Float(p)
            buffers.q.pointer[channel] = Float(q)
            buffers.r.pointer[channel] = Float(r)
        }
        pass.complete([first.gamma, first.beta, second.gamma, second.beta])
    }
}
