import ArgumentParser
import EvaluationCommand
import Foundation
import Host
import Images
import Terminal

/// `saccader-dist dataset index`
struct DatasetIndex: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Indexes images, so that training reads them where they lie.",
        discussion: """
            PATHs are folders or tar archives with train/CLASS/… and val/CLASS/… (also valid, \
            validation, test), folders or archives with CLASS/… alone (a part of each class is then \
            held out as val), tiny-imagenet, Kaggle's ImageNet, tables (CSV with a header \
            path,label or path,label,split), ImageNet's official archives as they were downloaded \
            (ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar; nothing is extracted), a folder \
            that holds them, and, where the validation images lie in no class folders, \
            ILSVRC2012_devkit_t12.tar.gz or its ground truth with a list of synsets. What a source \
            is taken for and what is passed over is told; a layout that is not known is an error. \
            The index is then a run's data.path; it replaces an earlier index, no other file. \
            Interrupted, the same command goes on where it was.
            """)

    @Argument(help: "Folders, archives and label files.")
    var paths: [String]

    @Option(help: "The index to write.")
    var output: String

    @Flag(help: "Decodes every image and names what is odd.")
    var verify = false

    @Flag(
        help: "Leaves images that cannot be decoded or reached out, instead of writing no index.")
    var skipUndecodable = false

    @Option(help: "The part of each training class held out for development.")
    var developmentFraction = 0.01

    @Option(help: "Instead, a number of images of each class.")
    var developmentImagesPerClass: Int?

    @Option(
        help: """
            The part of each class held out as val, where nothing else divides the images \
            (default: 0.2 of class folders and of tables without a split; 1: all are val).
            """)
    var validationFraction: Double?

    @Option(help: "From which the divisions follow.")
    var seed: UInt64 = 0

    @Option(help: "Threads; left out: one for each core.")
    var threads: Int?

    @Flag(help: "No progress bar.")
    var quiet = false

    func validate() throws {
        try OptionRange.require(["threads": threads])
        guard (0..<1).contains(developmentFraction) else {
            throw ValidationError(
                "--development-fraction is \(developmentFraction): give at least 0 and less than 1")
        }
        if let fraction = validationFraction, !(0...1).contains(fraction) {
            throw ValidationError("--validation-fraction is \(fraction): give 0 to 1")
        }
        try OptionRange.require(
            ["development-images-per-class": developmentImagesPerClass], least: 0)
    }

    func run() throws {
        var options = IndexBuilder.Options(paths: paths, output: output)
        options.developmentFraction = developmentFraction
        options.developmentImagesPerClass = developmentImagesPerClass
        options.validationFraction = validationFraction
        (options.seed, options.verifies) = (seed, verify)
        options.skipsUndecodable = skipUndecodable
        options.threadCount = threads ?? CPUQuota.usableCores
        let bars = IndexProgress(isQuiet: quiet)
        let summary = try IndexBuilder(options).run { bars.show($0) }
        bars.finish()
        for layout in summary.layouts { Console.say(layout) }
        for problem in summary.problems {
            Console.say("\(problem.name): \(problem.reason)")
        }
        if !summary.problems.isEmpty && !skipUndecodable {
            throw ImagesError.undecodable(count: summary.problems.count, output: output)
        }
        for warning in summary.warnings {
            Console.say("warning: \(warning)")
        }
        try Console.print(description(summary))
    }

    private func description(_ summary: IndexSummary) -> String {
        let counts = Subset.allCases.map { "\($0.rawValue) \(summary.counts[$0] ?? 0)" }
        var lines = [
            "\(output): \(summary.classCount) classes, images: \(counts.joined(separator: ", "))"
        ]
        if !summary.problems.isEmpty {
            lines.append("left out, as they cannot be read: \(summary.problems.count)")
        }
        for (what, names) in summary.oddities {
            let shown = names.prefix(IndexSummary.shownCount)
            let rest = names.count > shown.count ? ", …" : ""
            lines.append("\(what): \(names.count) (\(shown.joined(separator: ", "))\(rest))")
        }
        if let file = summary.oddityFile { lines.append("all names: \(file)") }
        return lines.joined(separator: "\n")
    }
}

/// The bars of the two parts of the work.
private final class IndexProgress {
    private let style: ProgressBar.Style
    private var bar: ProgressBar?
    private var title = ""

    init(isQuiet: Bool) { style = .fitting(isQuiet: isQuiet) }

    func show(_ progress: IndexBuilder.Progress) {
        switch progress {
        case .listing(let path, let done, let total):
            let name = (path as NSString).lastPathComponent
            start("listing \(name)", total: total >> 10, from: done >> 10, unit: "KiB")
            bar?.update(done >> 10)
        case .reading(let done, let total):
            start("reading", total: total, from: done, unit: "images")
            bar?.update(done)
        }
    }

    private func start(_ title: String, total: Int, from: Int, unit: String) {
        guard title != self.title else { return }
        finish()
        self.title = title
        bar = ProgressBar(title, total: total, from: from, unit: unit, style: style)
    }

    func finish() { bar?.finish() }
}
