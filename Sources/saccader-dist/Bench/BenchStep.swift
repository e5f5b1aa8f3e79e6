import ArgumentParser
import Collectives
import Training

/// `saccader-dist bench step`
struct BenchStep: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "step",
        abstract: "Times the training step of a stage, on made-up images or on yours.",
        discussion: """
            The same step that training takes, without checkpoints and log. The first step does \
            not count; figures are of the median step, and of the first rank where ranks differ. A \
            step waits for other ranks where it cannot go on without them, and for images where \
            --data is read more slowly than the step computes. Nominal operations: a multiply-add is two, \
            three times the forward pass.
            """)

    @Option(help: "Settings (YAML); left out: the built-in demonstration.")
    var config: String?

    @Option(name: .customLong("set"), help: "A setting that replaces the file's: key.path=value.")
    var overrides: [String] = []

    @Option(help: "representation, location or joint.")
    var stage = "representation"

    @Option(help: "float32 or bfloat16; left out: the setting `precision`.")
    var precision: Precision?

    @Option(help: "Images of all ranks together; left out: the stage's batchSize.")
    var batch: Int?

    @Option(help: "A folder in ImageNet's layout or an index; left out: made-up images.")
    var data: String?

    @Option(help: "Threads of each rank; left out: this rank's share of the cores.")
    var threads: Int?

    @Option(help: "Steps that count.")
    var steps = 5

    @Flag(help: "One JSON object on one line.")
    var json = false

    func validate() throws {
        for (name, value) in [("batch", batch), ("threads", threads), ("steps", steps)] {
            if let value, value < 1 {
                throw ValidationError("--\(name) is \(value): give at least 1")
            }
        }
    }

    func report(_ communicator: any Communicator) throws -> String {
        let benchmark = try StepBenchmark(
            configurationPath: config, overrides: overrides + Precision.override(precision),
            stage: stage, batchSize: batch, threadCount: threads, data: data,
            communicator: communicator)
        let measurement = try benchmark.run(stepCount: steps)
        return json ? measurement.json : measurement.description
    }
}
