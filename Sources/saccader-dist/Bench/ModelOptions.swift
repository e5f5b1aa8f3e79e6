import ArgumentParser
import EvaluationCommand
import Models
import Training

/// What every benchmark of the model takes.
struct ModelOptions: ParsableArguments {
    @Option(help: "Settings (YAML); left out: the built-in demonstration.")
    var config: String?

    @Option(name: .customLong("set"), help: "A setting that replaces the file's: key.path=value.")
    var overrides: [String] = []

    @Option(help: "float32 or bfloat16; left out: the setting `precision`.")
    var precision: Precision?

    @Option(help: "Threads of each rank; left out: this rank's share of the cores.")
    var threads: Int?

    @Option(help: "Steps or passes that count.")
    var steps = 5

    @Flag(help: "One JSON object on one line.")
    var json = false

    func validate() throws {
        try OptionRange.require(["threads": threads, "steps": steps])
    }

    /// The command line's settings, the precision among them.
    var settings: [String] { overrides + Precision.override(precision) }
}
