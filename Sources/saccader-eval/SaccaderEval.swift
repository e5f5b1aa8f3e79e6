import ArgumentParser
import Evaluation
import Foundation
import SaccaderModel

/// The standalone evaluation program: words to values, errors to one line and an exit code.
@main
struct SaccaderEval: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "saccader-eval",
        abstract: "Says how accurate a checkpoint is, policy by policy and glimpse by glimpse.",
        discussion: """
            Prints a table policy × glimpses. With --output it also writes results.json and, for \
            each policy, a sheet of images with the glimpses drawn in order. Needs no MPI.
            """,
        version: Program.version)

    @Argument(help: "The checkpoint (HDF5).")
    var checkpoint: String

    @Option(help: "The data folder, in ImageNet's layout.")
    var data: String

    @Option(help: "val, dev or train.")
    var split = Split.val

    @Option(
        help: ArgumentHelp(
            "Policies, with commas between; left out: all that the checkpoint can follow.",
            discussion: Policy.allCases.map(\.rawValue).joined(separator: ", ")))
    var policies: String?

    @Option(help: "Numbers of glimpses: 1...20, 6 or 1,2,4,6.")
    var glimpses = "1...20"

    @Option(help: "A folder for results.json and pictures.")
    var output: String?

    @Option(help: "At most this many images, spread evenly over the subset.")
    var limit: Int?

    @Option(help: "Glimpses on the pictures.")
    var pictured = 6

    @Option(help: "Threads; left out: one for each core.")
    var threads: Int?

    @Flag(help: "One JSON object instead of the table.")
    var json = false

    @Flag(help: "No progress bar.")
    var quiet = false

    enum Split: String, ExpressibleByArgument, CaseIterable {
        case val, dev, train
    }

    func validate() throws {
        for (name, value) in [("limit", limit), ("threads", threads), ("pictured", pictured)] {
            if let value, value < 1 {
                throw ValidationError("--\(name) is \(value): give at least 1")
            }
        }
    }

    func run() throws {
        var options = EvaluationOptions(
            checkpoint: checkpoint, data: data, glimpses: try GlimpseList(glimpses),
            threadCount: threads ?? ProcessInfo.processInfo.activeProcessorCount)
        options.split = split.rawValue
        options.limit = limit
        options.picturedGlimpses = pictured
        options.policies = try policies.map { try Policy.list($0) }
        let evaluation = try CheckpointEvaluation(options)
        let bar = ProgressBar(
            "evaluating", total: evaluation.imageCount, unit: "images",
            style: .fitting(isQuiet: quiet))
        let report = try evaluation.run { bar.update($0) }
        bar.finish()
        print(json ? try report.json() : evaluation.table(report))
        guard let output else { return }
        let paths = try evaluation.write(report, to: output)
        if !json { print("\nwritten: \(paths.joined(separator: " "))") }
    }

    static func main() {
        do {
            var command = try parseAsRoot()
            do {
                try command.run()
            } catch  where exitCode(for: error) == .failure {
                FileHandle.standardError.write(Data("saccader-eval: \(error)\n".utf8))
                let code = Evaluation.ExitCode(of: error) ?? .internalError
                Foundation.exit(code.rawValue)
            }
        } catch {
            exit(withError: error)
        }
    }
}
