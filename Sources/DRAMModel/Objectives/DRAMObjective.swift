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
    /// r of each trajectory, one for all glimpses or one each, `[N, 1 or T, 1, 1]`.
    private let rewards: Tensor<Float>

    /// Plans a step of at most the given images and shards on this rank.
    public init(
        _ model: DRAM<Element>, settings: DRAMStageSettings, imageCapacity: Int,
        shardCapacity: Int, threadCount: Int
    ) {
        (self.model, self.settings) = (model, settings)
        workspace = Workspace(
            imageCapacity: imageCapacity * settings.samples, shardCapacity: shardCapacity,
            keepsActivations: true)
        unrolled = Unrolled(model, settings: settings, followsPolicy: true, in: workspace)
        loss = GlimpseLoss(unrolled.logits, settings: settings, in: workspace)
        table = LossTable(columns: 5, in: workspace)
        noise = Tensor(unrolled.places.shape, in: workspace.arena)
        let rewarded = settings.reward == .last ? 1 : settings.glimpses
        rewards = Tensor(
            Shape(workspace.imageCapacity, rewarded, 1, 1), in: workspace.arena)
        gradients = unrolled.planBackward(
            classified: loss.classified, stop: settings.stopGradient, in: workspace)
        workspace.commit(threadCount: threadCount)
    }

    public func forward(_ batch: TrainingBatch, pass: Pass) throws {
        let trajectories = pass.repeated(settings.samples)
        let (limit, deviation) = (model.geometry.limit, Float(settings.deviation))
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

    /// The rewards of one trajectory.
    private func rewards(_ row: Int) -> UnsafeMutablePointer<Float> {
        rewards.row(row * rewards.shape.height)
    }

    /// r of one glimpse.
    private func reward(_ row: Int, _ glimpse: Int) -> Float {
        rewards(row)[settings.reward == .last ? 0 : glimpse]
    }

    /// −log N(l_t; m_t, σ²), l being clipped and the normal not, as published.
    private func surprise(_ row: Int, _ glimpse: Int) -> Double {
        guard let mean = unrolled.mean(row, glimpse) else { return 0 }
        let place = unrolled.place(row, glimpse)
        var sum = 0.0
        for axis in 0..<2 {
            let distance = (Double(place[axis]) - Double(mean[axis])) / settings.deviation
            sum += 0.5 * distance * distance + log(settings.deviation) + 0.5 * log(2 * Double.pi)
        }
        return sum
    }

    public func loss(_ batch: TrainingBatch, pass: Pass) throws -> LossReport {
        let pass = pass.repeated(settings.samples)
        let rewarded = GlimpseLoss<Element>.glimpses(settings.reward, of: settings.glimpses)
        pass.forEachShard { shard, rows, scratch in
            let sums = table.cleared(shard: shard)
            for row in rows {
                let label = Int(batch.labels[row / settings.samples])
                func isRight(_ glimpse: Int) -> Bool {
                    loss.isRight(row, glimpse, label: label, scratch: scratch)
                }
                sums[0] += loss.crossEntropy(row, label: label, scratch: scratch)
                sums[1] += isRight(settings.glimpses - 1) ? 1 : 0
                for (index, glimpse) in rewarded.enumerated() {
                    let reward: Float = isRight(glimpse) ? 1 : 0
                    rewards(row)[index] = reward
                    sums[2] += Double(reward)
                }
                for glimpse in 0..<settings.glimpses {
                    let surprise = surprise(row, glimpse)
                    sums[3] += surprise
                    sums[4] += surprise * Double(reward(row, glimpse))
                }
            }
        }
        let sums = try table.sum(pass: pass)
        let trajectories = Double(pass.globalImageCount)
        // b: the mean reward over the images and samples of all ranks together.
        let baseline = sums[2] / (trajectories * Double(rewarded.count))
        let images = trajectories / Double(settings.samples)
        return LossReport(
            crossEntropy: sums[0] / trajectories,
            reinforce: settings.reinforceWeight * (sums[4] - baseline * sums[3]) / images,
            accuracy: sums[1] / trajectories, baseline: baseline)
    }

    public func backward(_ batch: TrainingBatch, _ report: LossReport, pass: Pass) throws {
        let pass = pass.repeated(settings.samples)
        loss.backward(batch.labels, into: gradients.logits, pass: pass)
        backwardPolicy(baseline: report.baseline ?? 0, pass: pass)
        try unrolled.backward(gradients, pass: pass)
    }

    /// Of −w_R/B·(r − b)·log N(l; m, σ²) for m: −w_R/B·(r − b)·(l − m)/σ².
    private func backwardPolicy(baseline: Double, pass: Pass) {
        let images = Double(pass.globalImageCount / settings.samples)
        let weight =
            -settings.reinforceWeight / (images * settings.deviation * settings.deviation)
        pass.forEachShard { _, rows, _ in
            for (glimpse, gradient) in gradients.means.enumerated() {
                for row in rows {
                    guard let mean = unrolled.mean(row, glimpse) else { continue }
                    let place = unrolled.place(row, glimpse)
                    let factor = weight * (Double(reward(row, glimpse)) - baseline)
                    for axis in 0..<2 {
                        gradient.row(row)[axis] = Float(
                            factor * (Double(place[axis]) - Double(mean[axis])))
                    }
                }
            }
        }
    }

    public func trace(imageCount: Int) -> [TracedArray] {
        let rewarded = rewards.shape.height
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
