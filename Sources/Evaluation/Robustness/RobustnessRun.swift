import Images
import Layers
import Models
import Tensors

/// Attacks the predictions of one checkpoint and counts which hold.
final class RobustnessRun {
    private let attack: Attack
    private let data: DataConfiguration
    private let framing: Framing
    private let seed: UInt64
    private let targets: [AttackTarget]
    private let network: any PixelGradient
    private let compared: ComparedClasses

    /// Images right after the attack: for each target, each ε, top-1 and top-5.
    typealias Counts = [Int]

    /// Readies an attack.
    ///
    /// - Parameters:
    ///   - attacksLearned: Whether on the learned policy's prediction too, not only on that without
    ///     attention.
    ///   - compared: The classes that a prediction may be.
    init(
        _ attack: Attack, on network: any PixelGradient, data: DataConfiguration,
        framing: Framing = .crop, seed: UInt64, attacksLearned: Bool, compared: ComparedClasses
    ) {
        (self.attack, self.network, self.data, self.seed) = (attack, network, data, seed)
        (self.framing, self.compared) = (framing, compared)
        targets = attacksLearned ? AttackTarget.allCases : [.meanLogits]
    }

    /// Attacks the images `range` of `set`.
    ///
    /// - Parameter progress: Told how many images are done.
    func counts(
        _ set: ImageSet, range: Range<Int>, progress: (Int) -> Void
    ) throws -> Counts {
        let loader = BatchLoader(
            set, entries: Array(range), batchSize: network.imageCapacity, configuration: data,
            seed: seed, framing: framing)
        var counts = Counts(repeating: 0, count: targets.count * attack.epsilons.count * 2)
        var done = 0
        while let batch = try loader.next() {
            var index = 0
            for target in targets {
                for predictions in try predictions(batch, target: target) {
                    for (values, label) in zip(predictions, batch.labels) {
                        let rank = AveragedLogits.rank(of: Int(label), in: compared(values))
                        counts[index] += rank < 1 ? 1 : 0
                        counts[index + 1] += rank < 5 ? 1 : 0
                    }
                    index += 2
                }
            }
            done += batch.entries.count
            progress(done)
        }
        return counts
    }

    /// The averaged logits of the perturbed images at each ε.
    private func predictions(
        _ batch: ImageBatch, target: AttackTarget
    ) throws -> [[[Float]]] {
        let count = batch.entries.count
        let length = batch.images.count / count
        let origins = (0..<count).map { image in
            Preparation.unstandardized(
                Array(batch.images[(image * length)..<((image + 1) * length)]))
        }
        // One step from the image itself has the same direction at every radius.
        let shared =
            attack.method == .fgsm && attack.epsilons.contains { $0 > 0 }
            ? try gradients(batch.images, batch.labels, of: target) : nil
        return try attack.epsilons.map { epsilon in
            if epsilon == 0 {
                return try network(batch.images, imageCount: count, labels: nil, of: target)
                    .map(\.prediction)
            }
            var current = zip(origins, batch.entries).map { origin, entry in
                attack.start(origin, epsilon: epsilon, seed: seed, identifier: entry)
            }
            for _ in 0..<attack.gradientCount(epsilon) {
                // Standardising scales a channel by a positive number: signs stay.
                let slopes =
                    try shared ?? gradients(Self.standardized(current), batch.labels, of: target)
                current = current.indices.map { image in
                    attack.step(
                        current[image], along: slopes[image], around: origins[image],
                        epsilon: epsilon)
                }
            }
            return try network(
                Self.standardized(current), imageCount: count, labels: nil, of: target
            ).map(\.prediction)
        }
    }

    private func gradients(
        _ images: [Float], _ labels: [Int32], of target: AttackTarget
    ) throws -> [[Float]] {
        try network(images, imageCount: labels.count, labels: labels, of: target).map(\.gradient)
    }

    private static func standardized(_ images: [[Float]]) -> [Float] {
        images.flatMap { pixels in
            pixels.indices.map { index in
                (pixels[index] - Preparation.mean[index % 3]) / Preparation.deviation[index % 3]
            }
        }
    }
}
