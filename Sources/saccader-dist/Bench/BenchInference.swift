import ArgumentParser
import Collectives
import EvaluationCommand
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

    @OptionGroup var model: ModelOptions

    @Option(help: "Images of all ranks together.")
    var batch = 64

    @Option(help: "The stage after which the model looks: it names the family.")
    var stage = "joint"

    @Option(help: "Glimpses of the learned policy.")
    var glimpses = 20

    func validate() throws {
        try OptionRange.require(["batch": batch, "glimpses": glimpses])
    }

    func report(_ communicator: any Communicator) throws -> String {
        let benchmark = try InferenceBenchmark(
            configurationPath: model.config, overrides: model.settings,
            stage: stage, batchSize: batch, glimpses: glimpses, threadCount: model.threads,
            communicator: communicator)
        let measurement = try benchmark.run(count: model.steps)
        return model.json ? measurement.json : measurement.description
    }
}
