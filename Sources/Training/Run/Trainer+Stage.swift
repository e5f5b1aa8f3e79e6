import Checkpoints
import Families
import Foundation
import Models
import Terminal

extension Trainer {
    /// Trains one stage to its end; returns how many steps that were.
    func train(
        _ stage: Stage, from start: ResumePoint?, writer: CheckpointWriter?, log: TrainingLog?
    ) throws -> Int {
        let origin = start?.progress(imageCount: data.training.entries.count) ?? StagePosition()
        let first = origin.step
        scorer.begin(stage)
        let trainer = try stageTrainer(stage, from: origin)
        if let start {
            try trainer.optimizer.load(start.checkpoint, store: store)
            try trainer.average?.load(start.checkpoint, store: store) { path in
                model.startsFrom(path, in: stage)
            }
        }
        let last = min(trainer.lastStep, options.maximumSteps ?? .max)
        if start == nil && stage == stages.first {
            // A disk that cannot hold checkpoints shows now, not hours later.
            try save(stage, step: 0, trainer, score: nil, isVital: true, to: writer, log)
            try writer?.whileTrainingWaits { try writer?.verifyNewest() }
        }
        let progress = reporter.start(stage, first: first, last: last)
        var savedAt = Stopwatch.now
        for step in first..<max(first, last) {
            activity.begin(stage, step: step)
            let (report, seconds) = try Stopwatch.time { try trainer.step(step) }
            let done = step + 1
            progress.show(report, step: done, seconds: seconds)
            let ends = done == last
            if done % configuration.log.everySteps == 0 || ends {
                log?.write(report.fields(stage, step: done, trainer, seconds: seconds))
            }
            var score: DevelopmentScore?
            if isScored(step: done, of: trainer, ends: ends) {
                score = try scorer.score(stage, average: trainer.average, store: store)
                progress.showScore(score, step: done)
                if let score {
                    log?.write(report.scoreFields(stage, step: done, trainer, score))
                    showPictures(at: Position(stage: stage, step: done), log)
                }
            }
            warnOfFailures(writer, log)
            try activity.during(.saving) { try writer?.requireClaim { reporter.warn($0) } }
            let reason = try stopRequest.agreed(communicator)
            if score != nil || ends || reason != nil || isDue(step: done, savedAt: savedAt) {
                try save(
                    stage, step: done, trainer, score: score,
                    isVital: ends || reason != nil, to: writer, log)
                savedAt = Stopwatch.now
            }
            if let reason, !(ends && stage == stages.last) {
                progress.finish()
                throw TrainingError.stopped(
                    reason: reason.description,
                    checkpoint: CheckpointFolder.name(stage: stage.name, step: done))
            }
        }
        progress.finish()
        return max(0, last - first)
    }

    /// Saves in the background; a checkpoint without which the run must not go on, at once.
    private func save(
        _ stage: Stage, step: Int, _ trainer: StageTrainer, score: DevelopmentScore?, isVital: Bool,
        to writer: CheckpointWriter?, _ log: TrainingLog?
    ) throws {
        guard let writer else { return }
        try activity.during(.saving) {
            try writer.whileTrainingWaits {
                let header = try header(stage, step: step, trainer, score)
                do {
                    try writer.submit(
                        header, arrays: arrays(trainer),
                        average: averaged(trainer, header, score))
                    if isVital {
                        try writer.finish()
                        warnOfFailures(writer, log)
                    }
                } catch  where !isVital {
                    warn(error)
                }
            }
        }
    }

    private func warnOfFailures(_ writer: CheckpointWriter?, _ log: TrainingLog?) {
        if let failure = writer?.takeFailure() { warn(failure) }
        log?.warnOfFailures()
    }

    private func warn(_ failure: any Error) {
        reporter.warn("\(failure); going on, the last checkpoint is intact")
    }

    private func isScored(step: Int, of trainer: StageTrainer, ends: Bool) -> Bool {
        let interval = configuration.evaluation.everyEpochs
        let progress = trainer.progress(after: step)
        return interval > 0 && (ends || progress.offset == 0 && progress.epoch % interval == 0)
    }

    private func isDue(step: Int, savedAt: Double) -> Bool {
        let settings = configuration.checkpoint
        if settings.everySteps > 0 && step % settings.everySteps == 0 { return true }
        return settings.everyMinutes > 0
            && Stopwatch.now - savedAt >= settings.everyMinutes * 60
    }

    private func header(
        _ stage: Stage, step: Int, _ trainer: StageTrainer, _ score: DevelopmentScore?
    ) throws -> CheckpointHeader {
        let progress = trainer.progress(after: step)
        var header = CheckpointHeader(
            config: try configuration.tree().json(), family: model.familyName, stage: stage.name,
            step: step,
            epoch: progress.epoch, samples: progress.samples,
            seed: Int(truncatingIfNeeded: configuration.seed), worldSize: communicator.size,
            program: Program.version, developmentAccuracy: score?.accuracy, classes: classes,
            epochSamples: progress.offset, images: images)
        header.average.developmentAccuracy = score?.average
        if let updates = trainer.average?.updates, updates > 0 { header.average.updates = updates }
        header.classWeights = classWeights[stage]
        return header
    }
}
