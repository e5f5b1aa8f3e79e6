import Checkpoints
import Images
import Layers
import Models

extension Trainer {
    /// What a resumed run's stage has done and still has to do, in words.
    func rest(after start: ResumePoint) -> String {
        let stage = start.position.stage
        let batches = schedule(of: stage, from: start)
        let settings = configuration.stages[stage]
        let done =
            Double(batches.origin.epoch)
            + Double(batches.origin.offset) / Double(batches.imageCount)
        let steps = batches.lastStep - batches.origin.step
        let images =
            batches.progress(before: batches.lastStep).samples - batches.origin.samples
        return "after \(batches.origin.samples) images and \(Self.brief(done)) of "
            + "\(Self.brief(settings.epochs)) epochs of stage \(stage.name)"
            + (steps > 0
                ? ": \(steps) more steps of \(settings.batchSize) take \(images) more"
                : ", which is its end")
    }

    /// Why a run that was started has trained nothing.
    func nothingToDo(after start: ResumePoint) -> String {
        let found = start.position
        let place =
            "\(start.checkpoint.file.path) is at step \(found.step) of stage \(found.stage.name)"
        guard let last = stages.last, last >= found.stage else {
            return "nothing to do: \(place), which comes after --stages "
                + "\(stages.map(\.name).joined(separator: ",")); to train these again choose another "
                + "--output, and --init-from \(start.checkpoint.file.path) to begin with its weights"
        }
        if let most = options.maximumSteps, most <= found.step {
            return "nothing to do: \(place), and --max-steps is \(most)"
        }
        return "nothing to do: \(place), and stages.\(found.stage.name).epochs = "
            + "\(Self.brief(configuration.stages[found.stage].epochs)) ends there or before; give more to "
            + "go on"
    }

    /// Takes what fits of another run's numbers, where the options say so and the run has no
    /// checkpoint of its own to go on from.
    static func loadInitialWeights(
        _ options: TrainingOptions, start: ResumePoint?, into store: ParameterStore,
        classes: [KnownClass], reporter: Reporter, activity: Activity
    ) throws {
        guard let path = options.initialWeights else { return }
        if let start {
            reporter.say(
                "--init-from \(path) is not used: the run goes on from "
                    + start.checkpoint.file.path)
            return
        }
        try activity.during(.readingCheckpoint) {
            let weights = try InitialWeights(path, acceptsEdited: options.acceptsEdited)
            let report = try weights.load(into: store, classes: classes)
            weights.lines(report, classes: classes).forEach(reporter.say)
        }
    }

    private func schedule(of stage: Stage, from start: ResumePoint) -> BatchSchedule {
        let count = data.training.entries.count
        return BatchSchedule(
            stage: stage, imageCount: count, settings: configuration.stages[stage],
            seed: configuration.seed, rank: communicator.rank, rankCount: communicator.size,
            origin: start.progress(imageCount: count))
    }

    /// A number with at most two decimals.
    private static func brief(_ number: Double) -> String {
        let hundredths = (number * 100).rounded()
        return hundredths.truncatingRemainder(dividingBy: 100) == 0
            ? "\(Int(hundredths / 100))" : "\(hundredths / 100)"
    }
}

extension ListDigest {
    /// The digest of a set's names.
    init(_ images: ImageSet) { self.init(count: images.entries.count, digest: images.digest) }
}
