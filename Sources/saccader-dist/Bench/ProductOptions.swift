import ArgumentParser
import EvaluationCommand
import Models

/// What benchmarks of arithmetic without a model take.
struct ProductOptions: ParsableArguments {
    @Option(help: "Threads of each rank; left out: this rank's share of the cores.")
    var threads: Int?

    @Option(help: "float32 or bfloat16.")
    var precision = Precision.float32

    @Flag(help: "One JSON object on one line.")
    var json = false

    func validate() throws { try OptionRange.require(["threads": threads]) }
}
