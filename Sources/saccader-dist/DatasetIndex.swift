import ArgumentParser
import Evaluation
import Foundation
import Images

/// `saccader-dist dataset index`
struct DatasetIndex: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Indexes ImageNet, so that training reads images where they lie.",
        discussion: """
            PATHs are folders in ImageNet's layout, the official archives as they were downloaded \
            (ILSVRC2012_img_train.tar, ILSVRC2012_img_val.tar; nothing is extracted), a folder \
            that holds them, and, where the validation images lie in no class folders, \
            ILSVRC2012_devkit_t12.tar.gz or its ground truth with a list of synsets. What is passed \
            over is told; a layout that is not known is an error. The index is then a run's \
            data.path; it replaces an earlier index, no other file. Interrupted, the same command \
            goes on where it was.
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

    @Option(help: "From which the division follows.")
    var seed: UInt64 = 0

    @Option(help: "Threads; left out: one for each core.")
    var threads: Int?

    @Flag(help: "No progress bar.")
    var quiet = false

    /// Names shown of each kind of oddity, unless each image was verified.
    private static let shownCount = 3

    func validate() throws {
        try Positive.require(["threads": threads])
        guard (0..<1).contains(developmentFraction) else {
            throw ValidationError(
                "--development-fraction is \(developmentFraction): give at least 0 and less than 1")
        }
        if let count = developmentImagesPerClass, count < 0 {
            throw ValidationError("--development-images-per-class is \(count): give at least 0")
        }
    }

    func run() throws {
        var options = IndexBuilder.Options(paths: paths, output: output)
        options.developmentFraction = developmentFraction
        options.developmentImagesPerClass = developmentImagesPerClass
        (options.seed, options.verifies) = (seed, verify)
        options.skipsUndecodable = skipUndecodable
        options.threadCount = threads ?? CPUQuota.usableCores
        let bars = IndexProgress(isQuiet: quiet)
        let summary = try IndexBuilder(options).run { bars.show($0) }
        bars.finish()
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
            let shown = names.prefix(verify ? names.count : Self.shownCount)
            let rest = names.count > shown.count ? ", …" : ""
            lines.append("\(what): \(names.count) (\(shown.joined(separator: ", "))\(rest))")
        }
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
