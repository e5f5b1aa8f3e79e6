import ArgumentParser
import Collectives
import Training

/// `saccader-dist bench inference`
struct BenchInference: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "inference",
        abstract: "Times the evaluation forward of the whole model on made-up images.",
        discussion: """
            Representation network, attention and the cell's glimpses, as saccader-eval runs them, \
            without reading files. The first pass does not count; figures are of the median one.
            """)

    @Option(help: "Settings (YAML); left out: the built-in demonstration.")
    var config: String?

    @Option(name: .customLong("set"), help: "A setting that replaces the file's: key.path=value.")
    var overrides: [String] = []

    @Option(help: "float32 or bfloat16; left out: the setting `precision`.")
    var precision: Precision?

    @Option(help: "Images of all ranks together.")
    var batch = 64

    @Option(help: "Glimpses of the learned policy.")
    var glimpses = 20

    @Option(help: "Threads of each rank; left out: this rank's share of the cores.")
    var threads: Int?

    @Option(help: "Passes that count.")
    var steps = 5

    @Flag(help: "One JSON object on one line.")
    var json = false

    func validate() throws {
        for (name, value) in [
            ("batch", batch), ("glimpses", glimpses), ("threads", threads), ("steps", steps),
        ] {
            if let value, value < 1 {
                throw ValidationError("--\(name) is \(value): give at least 1")
            }
        }
    }

    func report(_ communicator: any Communicator) throws -> String {
        let benchmark = try InferenceBenchmark(
            configurationPath: config, overrides: overrides + Precision.override(precision),
            batchSize: batch, glimpses: glimpses, threadCount: threads,
            communicator: communicator)
        let measurement = try benchmark.run(count: steps)
        return json ? measurement.json : measurement.description
    }
}
