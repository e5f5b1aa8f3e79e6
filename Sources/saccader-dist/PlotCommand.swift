import ArgumentParser
import Evaluation
import Terminal

/// `saccader-dist plot`
struct PlotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot",
        abstract: "Draws loss, accuracy, reward and learning rate of training runs.",
        discussion: """
            Reads metrics.jsonl of each run, also while it is trained. Writes curves.html, and each \
            quantity's curves as SVG and PNG: a panel for each stage, all runs in it.
            """)

    @Argument(
        help: ArgumentHelp(
            "The --output folder of a training run, or its metrics.jsonl.",
            discussion: "NAME=RUN gives it another name.", valueName: "run"))
    var runs: [String]

    @Option(
        help: "The folder to write; left out: RUN/curves of one run, curves of several.")
    var output: String?

    @Option(
        help: ArgumentHelp(
            "0 (as logged) to less than 1: how slowly a logged value loses its weight.",
            discussion: "Left out: over a fifteenth of a stage's values.",
            valueName: "weight"))
    var smoothing: Double?

    func validate() throws {
        if let smoothing, !(smoothing >= 0 && smoothing < 1) {
            throw ValidationError("--smoothing is \(smoothing): give 0 to less than 1")
        }
        if runs.isEmpty { throw ValidationError("no run: give a run's --output folder") }
    }

    func run() throws {
        let report = try CurveReport(runs, smoothing: smoothing)
        let folder = output ?? report.defaultFolder
        try CurveReport.prepare(folder)
        for warning in report.warnings { Console.say("saccader-dist: warning: \(warning)") }
        let paths = try report.write(to: folder)
        try Console.print(report.table)
        try Console.print("\nwritten: \(paths.joined(separator: " "))")
    }
}
