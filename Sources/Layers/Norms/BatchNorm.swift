import Tensors

/// Which statistics normalise.
public enum NormMode: String, Codable, CaseIterable, Sendable {
    /// The batch's; the running statistics follow.
    case training
    /// The running statistics.
    case inference
}

/// The settings that all batch norms of a model share.
public struct BatchNormConfiguration: Codable, Equatable, Sendable {
    /// The part of the old running statistic that stays at each step.
    public var momentum = 0.9
    /// Added to the variance before the square root.
    public var epsilon = 1e-5
    /// Whether mean and variance are those of all ranks' images together.
    public var sync = true

    /// The defaults of the method.
    public init() {}
}

/// What turns a convolution's sums into the norm of its output, and back.
public protocol Normalization: Sendable {
    /// Sets `scale` and `shift` from the batch's moments or the running statistics.
    ///
    /// - Parameter locations: Locations of one image, H·W.
    func finishForward(
        _ buffers: NormBuffers, locations: Int, mode: NormMode, pass: Pass
    ) throws
    /// Inverts `scale·raw + shift`: writes the gradients of gamma and beta and sets the coefficients
    /// p, q, r of the raw
    /// output's gradient `p·gradient + q·raw + r`, from the gathered sums.
    ///
    /// In inference mode, where a gradient of the image alone is asked for, the statistics are
    /// constants: p is the norm's scale, q and r are 0, gamma and beta are left out.
    func finishBackward(
        _ buffers: NormBuffers, locations: Int, mode: NormMode, pass: Pass
    ) throws
}

/// Batch normalisation over images and locations: `gamma·(y − mean)/√(variance + ε) + beta`.
///
/// The biased batch variance normalises; the running variance is fed the unbiased one
/// (Method: Networks).
public struct BatchNorm: Normalization {
    let gamma: Parameter
    let beta: Parameter
    let mean: Statistic
    let variance: Statistic
    let configuration: BatchNormConfiguration

    /// Registers gamma (starting at `initialGamma`), beta, mean and variance below `path`.
    public init(
        _ path: String, channels: Int, initialGamma: Float = 1,
        configuration: BatchNormConfiguration, layout: inout ParameterLayout
    ) {
        gamma = layout.parameter(
            "\(path)/gamma", shape: [channels], decays: false, initial: .constant(initialGamma))
        beta = layout.parameter(
            "\(path)/beta", shape: [channels], decays: false, initial: .constant(0))
        mean = layout.statistic("\(path)/mean", count: channels, initial: 0)
        variance = layout.statistic("\(path)/variance", count: channels, initial: 1)
        self.configuration = configuration
    }

    /// How many values per channel the statistics are taken over.
    func valueCount(locations: Int, pass: Pass) -> Double {
        Double((configuration.sync ? pass.globalImageCount : pass.imageCount) * locations)
    }

    /// Mean and biased variance of the batch into `buffers.batch`.
    func reduceMoments(_ buffers: NormBuffers, count: Double, pass: Pass) throws {
        let channels = buffers.channels
        try pass.sum(
            buffers.moments, length: 2 * channels, acrossRanks: configuration.sync)
        let (sums, batch) = (buffers.moments.pointer, buffers.batch.pointer)
        for channel in 0..<channels {
            // A rank without images has no statistics of its own: it keeps 0 and 1.
            let mean = count > 0 ? sums[channel] / count : 0
            let square = count > 0 ? sums[channels + channel] / count : 1
            batch[channel] = mean
            batch[channels + channel] = max(0, square - mean * mean)
        }
    }

    /// Moves the running statistics of one channel towards the batch's.
    func follow(channel: Int, mean batchMean: Double, variance: Double, count: Double, pass: Pass) {
        guard count > 0 else { return }
        let keep = configuration.momentum
        // Copies tell nothing more about the variance.
        let count = count / Double(pass.copyCount)
        let unbiased = count > 1 ? variance * count / (count - 1) : variance
        let (means, variances) = (pass.store.values(mean), pass.store.values(self.variance))
        means[channel] = Float(keep * Double(means[channel]) + (1 - keep) * batchMean)
        variances[channel] = Float(keep * Double(variances[channel]) + (1 - keep) * unbiased)
    }

    public func finishForward(
        _ buffers: NormBuffers, locations: Int, mode: NormMode, pass: Pass
    ) throws {
        let (channels, batch) = (buffers.channels, buffers.batch.pointer)
        let count = valueCount(locations: locations, pass: pass)
        let (gammas, betas) = (pass.store.values(gamma), pass.store.values(beta))
        if mode == .training { try reduceMoments(buffers, count: count, pass: pass) }
        for channel in 0..<channels {
            if mode == .inference {
                batch[channel] = Double(pass.store.values(mean)[channel])
                batch[channels + channel] = Double(pass.store.values(variance)[channel])
            } else {
                follow(
                    channel: channel, mean: batch[channel],
                    variance: batch[channels + channel], count: count, pass: pass)
            }
            let deviation = (batch[channels + channel] + configuration.epsilon).squareRoot()
            let scale = Double(gammas[channel]) / deviation
            buffers.mean.pointer[channel] = Float(batch[channel])
            buffers.scale.pointer[channel] = Float(scale)
            buffers.shift.pointer[channel] = Float(
                Double(betas[channel]) - batch[channel] * scale)
        }
    }

    public func finishBackward(
        _ buffers: NormBuffers, locations: Int, mode: NormMode, pass: Pass
    ) throws {
        try finishBackward([buffers], locations: locations, mode: mode, pass: pass)
    }

    /// The same for all uses of the norm in a step, each with its own batch's statistics: the
    /// gradients of gamma and beta are sums over the uses, in double precision.
    func finishBackward(
        _ uses: [NormBuffers], locations: Int, mode: NormMode, pass: Pass
    ) throws {
        if mode == .inference { return uses.forEach { $0.keepScale() } }
        let count = valueCount(locations: locations, pass: pass)
        try reduceGradientSums(uses, pass: pass)
        let gammas = pass.store.values(gamma)
        for channel in 0..<(uses.first?.channels ?? 0) {
            var (gammaSum, betaSum) = (0.0, 0.0)
            for buffers in uses {
                let (channels, batch) = (buffers.channels, buffers.batch.pointer)
                let sums = buffers.gradientSumTable.pointer
                let inverse = 1 / (batch[channels + channel] + configuration.epsilon).squareRoot()
                let betaGradient = sums[channel]
                let gammaGradient = inverse * sums[channels + channel]
                gammaSum += gammaGradient
                betaSum += betaGradient
                // dy = gamma/σ · (g − Σg/M − ŷ·Σgŷ/M), ŷ = (y − mean)/σ.
                let p = Double(gammas[channel]) * inverse
                let q = count > 0 ? -p * inverse * gammaGradient / count : 0
                let r = (count > 0 ? -p * betaGradient / count : 0) - q * batch[channel]
                buffers.p.pointer[channel] = Float(p)
                buffers.q.pointer[channel] = Float(q)
                buffers.r.pointer[channel] = Float(r)
            }
            setGradient(channel, gamma: gammaSum, beta: betaSum, pass: pass)
        }
        pass.complete([gamma, beta])
    }

    func reduceGradientSums(_ uses: [NormBuffers], pass: Pass) throws {
        try pass.sum(
            uses.map { ($0.gradientSumTable, 2 * $0.channels) }, acrossRanks: configuration.sync)
    }

    /// Writes one channel's gradients of gamma and beta.
    ///
    /// The sums already cover all ranks when synchronised. The trainer adds gradients over ranks
    /// once more, so one rank alone may then carry them: the first, as the others write 0.
    func setGradient(_ channel: Int, gamma gammaGradient: Double, beta: Double, pass: Pass) {
        let carries = !configuration.sync || pass.isFirstRank
        pass.store.gradient(gamma)[channel] = carries ? Float(gammaGradient) : 0
        pass.store.gradient(self.beta)[channel] = carries ? Float(beta) : 0
    }
}
