import Families
import Foundation
import Host
import Models
import Tensors
import Terminal

/// What the first rank says to a person; the others are silent.
struct Reporter {
    let isFirstRank: Bool
    let isQuiet: Bool

    /// One line on standard error.
    func say(_ line: String) {
        guard isFirstRank && !isQuiet else { return }
        Console.say(line)
    }

    /// One line on standard error that even a quiet run needs, and that warns of nothing.
    func tell(_ line: String) {
        guard isFirstRank else { return }
        Console.say("saccader-dist: \(line)")
    }

    /// One line on standard error that even a quiet run needs.
    func warn(_ line: String) {
        guard isFirstRank else { return }
        Console.say("saccader-dist: warning: \(line)")
    }

    /// What is about to be trained, on what.
    func describe(_ trainer: Trainer, start: Position?) {
        say(
            "saccader-dist \(Program.version): \(trainer.communicator.size) ranks × "
                + "\(trainer.pool.threadCount) threads, \(MatrixMultiply.libraryDescription), "
                + "\(trainer.precision.rawValue)")
        if let warning = Cores.warning(
            threadCount: trainer.pool.threadCount, ranks: trainer.communicator.size)
        {
            say("warning: \(warning)")
        }
        for stage in trainer.stages {
            let balance = ShardBalance(
                stage, settings: trainer.configuration.stages[stage],
                rankCount: trainer.communicator.size)
            if let warning = balance.warning { say("warning: \(warning)") }
        }
        say(
            "model: \(trainer.model.layout.trainableCount) parameters, "
                + trainer.model.description.summary)
        say(
            "data: \(trainer.data.training.entries.count) training, "
                + "\(trainer.data.development.entries.count) development, "
                + "\(trainer.data.validation.entries.count) validation images of "
                + "\(trainer.data.classes.count) classes in \(trainer.configuration.data.path)")
        let ranks = trainer.communicator.size
        if ranks & (ranks - 1) != 0 {
            say(
                "\(ranks) ranks are no power of two: the same images in the same order, but sums "
                    + "round otherwise; the bits are those of no other number of ranks")
        }
        if let start { say("going on after step \(start.step) of stage \(start.stage.name)") }
    }

    /// What checkpoints have cost.
    func describe(_ writer: CheckpointWriter?, seconds: Double) {
        guard let writer, writer.count > 0 else { return }
        say(
            String(
                format:
                    "%d checkpoint%@; training stood still for %.2f of %.1f s (%.2f %%)",
                writer.count, writer.count == 1 ? "" : "s", writer.stallSeconds, seconds,
                100 * writer.stallSeconds / max(seconds, 1e-9)))
    }

    /// The result of `--validate`: the resolved settings on standard output.
    func describeValidation(_ trainer: Trainer) throws {
        guard isFirstRank else { return }
        describe(trainer, start: nil)
        let layout = trainer.model.layout
        let counted = trainer.model.description.countedGroup.map {
            "\(layout.trainableCount(of: $0.group)) in the \($0.title), "
        }
        say(
            "parameters: \(counted ?? "")\(layout.trainableCount) trainable, "
                + "\(layout.trainableCount + layout.statisticCount) with running statistics")
        for (stage, memory) in zip(trainer.stages, trainer.memory) {
            say("memory of stage \(stage.name): \(memory.description) on the first rank")
        }
        try Console.print(trainer.configuration.tree().yaml(), terminator: "")
    }

    /// Starts the progress bar of a stage.
    func start(_ stage: Stage, first: Int, last: Int) -> StageProgress {
        StageProgress(
            stage, first: first, last: last,
            style: isFirstRank ? .fitting(isQuiet: isQuiet) : .quiet, reporter: self)
    }
}

/// The progress bar of a stage, with loss and accuracy smoothed over about fifty steps.
final class StageProgress {
    private let stage: Stage
    private let bar: ProgressBar
    private let reporter: Reporter
    private let last: Int
    private let start = Stopwatch.now
    private var loss: Double?
    private var accuracy: Double?
    private var rate: Double?
    private var steps = 0
    private var seconds = 0.0
    private var dataWait = 0.0
    private var communicationWait = 0.0
    private static let smoothing = 0.98

    init(_ stage: Stage, first: Int, last: Int, style: ProgressBar.Style, reporter: Reporter) {
        (self.stage, self.last, self.reporter) = (stage, last, reporter)
        let title = stage.name.padding(toLength: 14, withPad: " ", startingAt: 0)
        bar = ProgressBar(title, total: last, from: first, unit: nil, style: style)
    }

    private static func smooth(_ old: Double?, _ new: Double) -> Double {
        old.map { smoothing * $0 + (1 - smoothing) * new } ?? new
    }

    func show(_ report: StepReport, step: Int, seconds: Double) {
        loss = Self.smooth(loss, report.loss.total)
        accuracy = Self.smooth(accuracy, report.loss.accuracy)
        rate = Self.smooth(rate, Double(report.imageCount) / seconds)
        steps += 1
        self.seconds += seconds
        dataWait += report.dataWaitSeconds
        communicationWait += report.communication.waitSeconds
        bar.update(step, details: details(step))
    }

    private func details(_ step: Int) -> String {
        String(
            format: "step %d/%d  loss %.3f  acc %.3f  %.*f images/s ", step, last, loss ?? 0,
            accuracy ?? 0, (rate ?? 0) < 10 ? 2 : 0, rate ?? 0)
    }

    func showScore(_ score: DevelopmentScore?, step: Int) {
        guard let score else { return }
        bar.finish()
        reporter.say(
            String(
                format: "%@ step %d/%d: loss %.4f, training accuracy %.4f, %@, %@",
                stage.name, step, last, loss ?? 0, accuracy ?? 0, score.text,
                ProgressBar.duration(Stopwatch.now - start)))
    }

    /// Ends the bar, and says what the steps waited for.
    func finish() {
        bar.finish()
        guard steps > 0 else { return }
        reporter.say(
            String(
                format: "%@: %d steps of %.3f s; they waited %.1f %% of the time for images, "
                    + "%.1f %% for other ranks", stage.name, steps, seconds / Double(steps),
                100 * dataWait / seconds, 100 * communicationWait / seconds))
    }
}

extension StepReport {
    /// The line of the log for a step.
    func fields(
        _ stage: Stage, step: Int, _ trainer: StageTrainer, seconds: Double
    ) -> [(String, MetricsValue)] {
        var fields = place(stage, step: step, trainer)
        fields.append(("loss", .number(total)))
        let terms: [(String, Double?)] = [
            ("crossEntropy", loss.crossEntropy), ("location", loss.location),
            ("reinforce", loss.reinforce),
        ]
        let parts: [(String, Double?)] = [
            ("accuracy", loss.accuracy),
            ("reward", loss.reward), ("baseline", loss.baseline),
            ("learningRate", learningRate), ("gradientNorm", gradientNorm),
            ("imagesPerSecond", Double(imageCount) / seconds),
            ("allReduceSeconds", communication.gradientSeconds),
            ("communicationWaitSeconds", communication.waitSeconds),
            ("communicationHiddenSeconds", communication.hiddenSeconds),
            ("dataWaitSeconds", dataWaitSeconds),
        ]
        let penalties = penalty.terms(groups).map { ($0.name, Optional($0.value)) }
        for (name, value) in terms + penalties + parts {
            if let value { fields.append((name, .number(value))) }
        }
        return fields
    }

    /// The line of the log for a score.
    func scoreFields(
        _ stage: Stage, step: Int, _ trainer: StageTrainer, _ score: DevelopmentScore
    ) -> [(String, MetricsValue)] {
        place(stage, step: step, trainer) + score.fields
    }

    private func place(
        _ stage: Stage, step: Int, _ trainer: StageTrainer
    ) -> [(String, MetricsValue)] {
        [
            ("time", .number(Date().timeIntervalSince1970)), ("stage", .text(stage.name)),
            ("step", .integer(step)),
            ("epoch", .number(trainer.epochs(after: step))),
            ("samples", .integer(trainer.progress(after: step).samples)),
        ]
    }
}
