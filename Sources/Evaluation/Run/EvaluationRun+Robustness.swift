import Images
import SaccaderModel

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
            var settings = checkpoint.settings
            settings.data.workers = max(settings.data.workers, options.threadCount)
            let run = RobustnessRun(
                attack, model: checkpoint.stored.model, store: checkpoint.stored.store,
                settings: settings, pool: pool, glimpses: attacked)
            let part = try run.counts(images, range: share.part(count)) {
                progress(index * count + min(count, $0 * share.count))
            }
            counts.append(try share.sum(part))
            progress((index + 1) * count)
        }
        return Robustness(attack, glimpses: attacked, counts: counts, images: count)
    }
}
