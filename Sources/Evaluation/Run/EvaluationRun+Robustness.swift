import Host
import Images
import Models

extension EvaluationRun {
    /// Attacks the learned policy's prediction after as many glimpses as in training, and that of
    /// the network without attention; nil where no attack was asked for.
    ///
    /// - Parameter progress: Told how many images are done, those of other ranks estimated.
    public func robustness(
        _ share: RankShare = .alone, progress: (Int) -> Void = { _ in }
    ) throws -> Robustness? {
        guard let attack = options.attack else { return nil }
        let count = images.entries.count
        let attacked = policies.contains(.learned) ? headlineGlimpses : 0
        var counts: [[Int]] = []
        for (index, checkpoint) in checkpoints.enumerated() {
            guard
                let network = checkpoint.model.pixelGradient(
                    store: checkpoint.stored.store, pool: pool, glimpses: attacked)
            else { return nil }
            try HostMemory.requireMemory(
                forImages: network.imageCapacity, option: "--attack",
                remedy: "fewer --threads or a smaller --image-size"
            ) { _ in network.byteCount }
            let run = RobustnessRun(
                attack, on: network, data: data(checkpoint), framing: options.framing,
                seed: checkpoint.settings.seed, attacksLearned: attacked > 0,
                compared: compared)
            let part = try run.counts(images, range: share.part(count)) {
                progress(index * count + min(count, $0 * share.count))
            }
            counts.append(try share.sum(part))
            progress((index + 1) * count)
        }
        return Robustness(attack, glimpses: attacked, counts: counts, images: count)
    }
}
