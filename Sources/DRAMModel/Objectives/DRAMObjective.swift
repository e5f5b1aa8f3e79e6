import Foundation
import Layers
import Models
import Tensors

/// The second stage: the policy learns by REINFORCE from places drawn around its means, everything
/// else by the cross entropy of the logits, and by the policy's gradient as far as it goes.
///
///     J = CE − w_R · mean over images of Σ_s Σ_t (r − b)·log N(l_t; m_t, σ²)
public struct DRAMObjective<Element: StorageElement>: Objective {
    public let workspace: Workspace
    private let model: DRAM<Element>
    private let settings: DRAMStageSettings
    private let unrolled: Unrolled<Element>
    private let gradients: Unrolled<Element>.Gradients
    private let loss: GlimpseLoss<Element>
    private let table: LossTable
    /// ε, of which the places are made, `[N, T, 1, 2]`.
    private let noise: Tensor<Float>
    /// r of each trajectory's locations, `[N, T, 1, 1]`.
    private let rewards: Tensor<Float>
    /// The part of b that is a trajectory's own: what the glimpse before was worth,
    /// `[N, T, 1, 1]`.
    private let previous: Tensor<Float>
    /// The part of b that all trajectories share, of each glimpse, `[T]`.
    private let baselines: Tensor<Double>

    /// Plans a step of at most the given images and shards on this rank.
    public init(
        _ model: DRAM<Element>, settings: DRAMStageSettings, imageCapacity: Int,
        shardCapacity: Int, threadCount: Int, targets: ClassTargets = .plain
    ) {
        (self.model, self.settings) = (model, settings)
        workspace = Workspace(
            imageCapacity: imageCapacity * settings.samples, shardCapacity: shardCapacity,
            keepsActivations: true, joinsChunks: true)
        noise = Tensor(
            Shape(workspace.imageCapacity, settings.glimpses, 1, 2), in: workspace.arena)
        unrolled = Unrolled(model, settings: settings, followsPolicy: true, in: workspace)
        loss = GlimpseLoss(
            unrolled.logits, settings: settings, targets: targets, in: workspace)
        table = LossTable(columns: 2 + 3 * settings.glimpses, in: workspace)
        rewards = Tensor(
            Shape(workspace.imageCapacity, settings.glimpses, 1, 1), in: workspace.arena)
        previous = Tensor(rewards.shape, in: workspace.arena)
        baselines = Tensor(vector: settings.glimpses, in: workspace.arena)
        gradients = unrolled.planBackward(
            classified: loss.classified, stop: settings.stopGradient, in: workspace)
        workspace.commit(threadCount: threadCount)
    }

    public func forward(_ batch: TrainingBatch, pass: Pass) throws {
        let trajectories = pass.repeated(settings.samples)
        let limit = model.geometry.limit
        let deviation = Float(settings.deviation(at: batch.progress))
        var isGiven = false
        if case .places = batch.glimpses { isGiven = true }
        unrolled.fill(isGiven ? unrolled.places : noise, batch.glimpses, pass: trajectories) {
            $0.normalPair()
        }
        try unrolled.forward(batch.images, pass: pass) { glimpse in
            if isGiven { return }
            // l = clip(m + σ·ε, −s, s)
            trajectories.forEachShard { _, rows, _ in
                for row in rows {
                    guard let mean = unrolled.mean(row, glimpse) else { continue }
                    let noise = noise.row(row * settings.glimpses + glimpse)
                    Place(y: mean[0] + deviation * noise[0], x: mean[1] + deviation * noise[1])
                        .clipped(to: limit).write(to: unrolled.place(row, glimpse))
                }
            }
        }
    }

    /// The rewards of one trajectory's locations, `[T]`.
    private func rewards(_ row: Int) -> UnsafeMutablePointer<Float> {
        rewards.row(row * settings.glimpses)
    }

    /// What the logits of one glimpse are worth.
    private func worth(
        _ row: Int, _ glimpse: Int, label: Int, scratch: UnsafeMutablePointer<Float>
    ) -> Float {
        switch settings.rewardWorth {
        case .correct:
            loss.isRight(row, glimpse, label: label, scratch: scratch) ? 1 : 0
        case .probability:
            loss.probability(row, glimpse, label: label, scratch: scratch)
        }
    }

    /// Writes the rewards of one trajectory and its own part of their baselines.
    private func reward(_ row: Int, label: Int, scratch: UnsafeMutablePointer<Float>) {
        let (rewards, previous) = (rewards(row), previous.row(row * settings.glimpses))
        let (last, comparesSteps) = (settings.glimpses - 1, settings.baseline == .previousGlimpse)
        var (final, later): (Float, Float) = (0, 0)
        for glimpse in (0...last).reversed() {
            previous[glimpse] = 0
            guard glimpse == last || settings.reward != .last || comparesSteps else {
                rewards[glimpse] = final
                continue
            }
            let own = worth(row, glimpse, label: label, scratch: scratch)
            if glimpse == last { final = own } else if comparesSteps { previous[glimpse + 1] = own }
            later += own
            rewards[glimpse] =
                switch settings.reward {
                case .last: final
                case .everyGlimpse: own
                case .remainingGlimpses: later / Float(last - glimpse + 1)
                }
        }
    }

    /// A reward without its trajectory's own part of the baseline.
    private func advantage(_ row: Int, _ glimpse: Int) -> Double {
        Double(rewards(row)[glimpse]) - Double(previous.row(row * settings.glimpses)[glimpse])
    }

    /// −log N(l_t; m_t, σ²), l being clipped and the normal not, as published.
    private func surprise(_ row: Int, _ glimpse: Int, deviation: Double) -> Double {
        guard let mean = unrolled.mean(row, glimpse) else { return 0 }
        let place = unrolled.place(row, glimpse)
        var sum = 0.0
        for axis in 0..<2 {
            let distance = (Double(place[axis]) - Double(mean[axis])) / deviation
            sum += 0.5 * distance * distance + log(deviation) + 0.5 * log(2 * Double.pi)
        }
        return sum
    }

    public func loss(_ batch: TrainingBatch, pass: Pass) throws -> LossReport {
        let total = try loss.total(batch.labels, pass: pass)
        let pass = pass.repeated(settings.samples)
        let count = settings.glimpses
        let deviation = settings.deviation(at: batch.progress)
        pass.forEachShard { shard, rows, scratch in
            let sums = table.cleared(shard: shard)
            for row in rows {
                let label = Int(batch.labels[row / settings.samples])
                sums[0] += loss.crossEntropy(row, label: label, scratch: scratch)
                let isRight = loss.isRight(row, count - 1, label: label, scratch: scratch)
                sums[1] += isRight ? 1 : 0
                reward(row, label: label, scratch: scratch)
                for glimpse in 0..<count {
                    let (reward, surprise) = (
                        advantage(row, glimpse), surprise(row, glimpse, deviation: deviation)
                    )
                    sums[2 + glimpse] += reward
                    sums[2 + count + glimpse] += surprise
                    sums[2 + 2 * count + glimpse] += surprise * reward
                }
            }
        }
        let sums = try table.sum(pass: pass)
        let trajectories = Double(pass.globalImageCount)
        // b: mean rewards over the images and samples of all ranks together.
        let means = sums[2..<(2 + count)].map { $0 / trajectories }
        let mean = means.reduce(0, +) / Double(count)
        var policy = 0.0
        for glimpse in 0..<count {
            let baseline = settings.baseline == .batch ? mean : means[glimpse]
            baselines.pointer[glimpse] = baseline
            policy += sums[2 + 2 * count + glimpse] - baseline * sums[2 + count + glimpse]
        }
        let images = trajectories / Double(settings.samples)
        return LossReport(
            crossEntropy: sums[0] / (total * Double(settings.samples)),
            reinforce: settings.reinforceWeight * policy / images,
            accuracy: sums[1] / trajectories, reward: mean, baseline: mean, weight: total)
    }

    public func backward(_ batch: TrainingBatch, _ report: LossReport, pass: Pass) throws {
        let trajectories = pass.repeated(settings.samples)
        loss.backward(
            batch.labels, report, into: gradients.logits, pass: trajectories)
        backwardPolicy(
            deviation: settings.deviation(at: batch.progress), pass: trajectories)
        try unrolled.backward(gradients, images: batch.images, pass: pass)
    }

    /// The gradient of −w_R/B·(r − b)·log N(l; m, σ²) by m: −w_R/B·(r − b)·(l − m)/σ².
    private func backwardPolicy(deviation: Double, pass: Pass) {
        let images = Double(pass.globalImageCount / settings.samples)
        let weight =
            -settings.reinforceWeight / (images * deviation * deviation)
        pass.forEachShard { _, rows, _ in
            for (glimpse, gradient) in gradients.means.enumerated() {
                for row in rows {
                    guard let mean = unrolled.mean(row, glimpse) else { continue }
                    let place = unrolled.place(row, glimpse)
                    let factor = weight * (advantage(row, glimpse) - baselines.pointer[glimpse])
                    for axis in 0..<2 {
                        gradient.row(row)[axis] = Float(
                            factor * (Double(place[axis]) - Double(mean[axis])))
                    }
                }
            }
        }
    }

    public func trace(imageCount: Int) -> [TracedArray] {
        // One reward for all locations is told once.
        let rewarded = settings.reward == .last ? 1 : settings.glimpses
        let trace = TrajectoryTrace(samples: settings.samples, imageCount: imageCount)
        let values = trace.values(width: rewarded) { rewards($0) }
        return unrolled.trace(imageCount: imageCount) + [
            TracedArray(
                "reward",
                [settings.samples, imageCount] + (settings.reward == .last ? [] : [rewarded]),
                .floats(values))
        ]
    }
}
