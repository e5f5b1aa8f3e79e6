import Layers
import Tensors

/// The cross entropy of an image's logits and its gradient.
public struct ClassLoss: Sendable {
    private let targets: ClassTargets
    private let classes: Int
    /// Σ_k w_k.
    private let weightSum: Double
    /// Σ w_y of each shard; none where all weights are 1.
    private let table: LossTable?

    /// Plans the loss.
    public init(_ targets: ClassTargets, classes: Int, in workspace: Workspace) {
        precondition(
            targets.weights.isEmpty || targets.weights.count == classes,
            "\(targets.weights.count) weights of \(classes) classes")
        (self.targets, self.classes) = (targets, classes)
        weightSum = targets.weights.isEmpty ? Double(classes) : targets.weights.reduce(0, +)
        table = targets.weights.isEmpty ? nil : LossTable(columns: 1, in: workspace)
    }

    /// Σ w_y over the images of all ranks, by which a mean divides.
    ///
    /// Differs from PyTorch where it is 0: there a mean is no number, here it is 0.
    public func total(_ labels: [Int32], pass: Pass) throws -> Double {
        guard let table else { return Double(pass.globalImageCount) }
        pass.forEachShard { shard, images, _ in
            let sums = table.cleared(shard: shard)
            for image in images { sums[0] += targets.weight(Int(labels[image])) }
        }
        let total = try table.sum(pass: pass)[0]
        return total > 0 ? total : 1
    }

    /// ℓ of logits `[c]`.
    ///
    /// - Parameter logSum: log Σ exp of the logits.
    public func value(_ logits: UnsafePointer<Float>, label: Int, logSum: Double) -> Double {
        let own = logSum - Double(logits[label])
        if targets.isPlain { return own }
        var smooth = 0.0
        if targets.smoothing > 0 {
            for index in 0..<classes {
                smooth += targets.weight(index) * (logSum - Double(logits[index]))
            }
        }
        return targets.smoothing / Double(classes) * smooth
            + (1 - targets.smoothing) * targets.weight(label) * own
    }

    /// Replaces probabilities p, `[c]`, by the gradient of ℓ for the logits, (Σ_k t_k)·p − t.
    public func differentiate(_ row: UnsafeMutablePointer<Float>, label: Int) {
        if targets.isPlain {
            row[label] -= 1
            return
        }
        let share = targets.smoothing / Double(classes)
        let own = (1 - targets.smoothing) * targets.weight(label)
        let mass = own + share * weightSum
        for index in 0..<classes {
            let target = share * targets.weight(index) + (index == label ? own : 0)
            row[index] = Float(mass * Double(row[index]) - target)
        }
    }
}
