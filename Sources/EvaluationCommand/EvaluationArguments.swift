import ArgumentParser
import Evaluation
import Foundation
import Models
import Terminal

/// The words of an evaluation, the same for `saccader-eval` and `saccader-dist eval`.
public struct EvaluationArguments: ParsableArguments {
    /// What the commands' help says of the result.
    public static let discussion = """
        Prints a table policy × glimpses and, last, a line " * Acc@1 … Acc@5 …": the learned policy \
        after as many glimpses as in training, or the mean of all logits where no policy was \
        learned. With --output it also writes report.html (everything in one file to look at), \
        results.json, results.csv, plots (SVG and PNG) and pictures. Several checkpoints (of \
        several seeds) give mean ± standard deviation; given as NAME=CHECKPOINT they are compared \
        name by name.
        """

    @Argument(
        help: ArgumentHelp(
            "The checkpoint (HDF5); several like ones give mean ± standard deviation.",
            discussion: "NAME=CHECKPOINT compares models; the same name again is another seed."))
    var checkpoints: [String]

    @Option(help: "The data folder, in ImageNet's layout.")
    var data: String

    @Option(help: "val, dev or train.")
    var split = Split.val

    @Option(
        help: ArgumentHelp(
            "Policies, with commas between; left out: all that the checkpoint can follow.",
            discussion: Policy.allCases.map(\.rawValue).joined(separator: ", ")))
    var policies: String?

    @Option(help: "Numbers of glimpses: 1...20, 6 or 1,2,4,6; left out: 1...20.")
    var glimpses: String?

    @Option(help: "How often the random policy is drawn.")
    var draws = 5

    @Option(help: "A folder for report.html, results.json, results.csv, plots and pictures.")
    var output: String?

    @Option(help: "At most this many images, spread evenly over the subset: a quick look.")
    var limit: Int?

    @Flag(
        name: .customLong("restrict-classes"),
        help: "Compares among the classes that the images have, not all that the model knows.")
    var restrictsClasses = false

    @Option(help: "The side of the images, in pixels; left out: that of the training.")
    var imageSize: Int?

    @OptionGroup var framing: FramingArguments

    @Option(help: "Images of one pass through the network, in steps of 8.")
    var batchSize = 64

    @Option(
        help: ArgumentHelp(
            "A classifier's checkpoint: what it still sees without the glimpses' windows.",
            discussion:
                "One that saccader-dist train --stages classifier wrote on the same images.",
            valueName: "checkpoint"))
    var occlusion: String?

    @Option(
        help: ArgumentHelp(
            "fgsm or pgd: how accurate the predictions stay under attack.",
            discussion:
                "The learned policy's after as many glimpses as in training, beside the mean of "
                + "all logits; each is attacked for itself."))
    var attack: String?

    @Option(
        help: ArgumentHelp(
            "The attack's radii, pixels on the scale 0 to 1, with commas between.",
            discussion: "Left out: \(Attack.defaultEpsilons)."))
    var epsilon: String?

    @Option(help: "Steps of pgd; left out: \(Attack.defaultSteps).")
    var attackSteps: Int?

    @Option(help: "Images on a sheet of pictures; 0: no pictures.")
    var pictures = 24

    @Option(
        help: ArgumentHelp(
            "Which images are pictured, with commas between.",
            discussion: "spread (evenly over the set), first, worst (largest cross entropy), wrong")
    )
    var pick = "spread,worst"

    @Option(help: "Glimpses on the pictures; left out: as many as in the joint stage.")
    var pictured: Int?

    @Option(help: "Threads of each process; left out: one for each of its cores.")
    var threads: Int?

    @Flag(help: "One JSON object instead of the table.")
    var json = false

    @Flag(help: "Takes arrays that do not match their checksums: you have edited them.")
    var acceptEdited = false

    @Flag(help: "No progress bar.")
    var quiet = false

    enum Split: String, ExpressibleByArgument, CaseIterable {
        case val, dev, train
    }

    /// The parser fills the values in.
    public init() {}

    /// Refuses numbers that make no sense.
    public func validate() throws {
        try OptionRange.require([
            "limit": limit, "threads": threads, "pictured": pictured, "batch-size": batchSize,
            "image-size": imageSize,
        ])
        try OptionRange.require(["draws": draws], most: 1000)
        try OptionRange.require(["pictures": pictures], least: 0, most: 1000)
        try OptionRange.require(["attack-steps": attackSteps], most: 10_000)
        for (name, isGiven) in [("epsilon", epsilon != nil), ("attack-steps", attackSteps != nil)]
        where isGiven && attack == nil {
            throw ValidationError("--\(name) needs an attack: give --attack fgsm or pgd too")
        }
    }

    /// Evaluates; the first of several ranks prints and writes.
    ///
    /// - Parameter threadCount: Threads unless the user says otherwise.
    public func evaluate(_ share: RankShare = .alone, threadCount: Int) throws {
        let groups = try ComparisonGroup.groups(checkpoints)
        guard !groups.isEmpty else {
            let run = try EvaluationRun(options(checkpoints, threadCount: threadCount))
            let report = try evaluate(run, output: output, label: "evaluating", share)
            if share.rank == 0, !json { try Console.print("\n\(report.headline)") }
            return
        }
        if share.rank == 0, let output { try EvaluationRun.prepare(output) }
        // All are opened first: what is wrong with the last is not to be found out after the first.
        let runs = try groups.map { group in
            try EvaluationRun(options(group.checkpoints, threadCount: threadCount))
        }
        let reports = try zip(groups, runs).map { group, run in
            try evaluate(
                run, output: output.map { "\($0)/\(group.name)" }, label: group.name,
                prints: false, share)
        }
        guard share.rank == 0 else { return }
        let comparison = Comparison(names: groups.map(\.name), reports: reports)
        // First what stays: standard output may not take it.
        let paths = try output.map { try comparison.write(to: $0) }
        try Console.print(json ? try comparison.json() : comparison.table)
        if let paths, !json { try Console.print("\nwritten: \(paths.joined(separator: " "))") }
    }

    private func options(_ checkpoints: [String], threadCount: Int) throws -> EvaluationOptions {
        var options = EvaluationOptions(
            checkpoints: checkpoints, data: data, threadCount: threads ?? threadCount)
        options.split = split.rawValue
        options.policies = try policies.map { try Policy.list($0) }
        options.glimpses = try glimpses.map { try GlimpseList($0) }
        (options.draws, options.limit, options.imageSize) = (draws, limit, imageSize)
        (options.batchSize, options.picturedCount) = (batchSize, pictures)
        options.picturedGlimpses = pictured
        options.centralCropMargin = framing.centralCropMargin
        options.framing = framing.resize
        options.acceptsEdited = acceptEdited
        options.occlusionClassifier = occlusion
        options.restrictsClasses = restrictsClasses
        options.choices = try PictureChoice.list(pick)
        options.attack = try attack.map {
            try Attack(
                method: $0, epsilons: epsilon ?? Attack.defaultEpsilons,
                steps: attackSteps ?? Attack.defaultSteps)
        }
        return options
    }

    /// Evaluates checkpoints of one model.
    private func evaluate(
        _ run: EvaluationRun, output: String?, label: String, prints: Bool = true,
        _ share: RankShare
    ) throws -> EvaluationReport {
        let isFirst = share.rank == 0
        if isFirst {
            for warning in run.warnings {
                Console.say("warning: \(warning)")
            }
        }
        // A folder that cannot be written is better known before the images than after.
        if isFirst, let output { try EvaluationRun.prepare(output) }
        func bar(_ label: String) -> ProgressBar {
            ProgressBar(
                label, total: run.imageCount, unit: "images",
                style: isFirst ? .fitting(isQuiet: quiet) : .quiet)
        }
        let looking = bar(label)
        var report = try run.run(share) { looking.update($0) }
        if isFirst { looking.finish() }
        if attack != nil {
            let attacking = bar("attacking")
            report.robustness = try run.robustness(share) { attacking.update($0) }
            if isFirst { attacking.finish() }
        }
        guard isFirst else { return report }
        let paths = try output.map { try run.write(report, to: $0) }
        guard prints else { return report }
        try Console.print(json ? try report.json() : run.text(report))
        if let paths, !json { try Console.print("\nwritten: \(paths.joined(separator: " "))") }
        return report
    }
}
