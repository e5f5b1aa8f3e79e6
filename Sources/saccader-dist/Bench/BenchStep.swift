import ArgumentParser
import Collectives
import EvaluationCommand
import Families
import Training

/// `saccader-dist bench step`
struct BenchStep: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "step",
        abstract: "Times the training step of a stage, on made-up images or on yours.",
        discussion: """
            The same step that training takes, without checkpoints and log. The first step does \
            not count; figures are of the median step, and of the first rank where ranks differ. A \
            step waits for other ranks where it cannot go on without them (the mean of all ranks; \
            who comes last waits for the sum alone), and for images where --data is read more \
            slowly than the step computes. Nominal operations: a multiply-add is two, \
            three times the forward pass.
            """)

    @OptionGroup var model: ModelOptions

    @Option(help: ArgumentHelp(Families.stageNames.joined(separator: ", ") + "."))
    var stage = "representation"

    @Option(help: "Images of all ranks together; left out: the stage's batchSize.")
    var batch: Int?

    @Option(help: "A folder in ImageNet's layout or an index; left out: made-up images.")
    var data: String?

    func validate() throws {
        try OptionRange.require(["batch": batch])
    }

    func report(_ communicator: any Communicator) throws -> String {
        let benchmark = try StepBenchmark(
            configurationPath: model.config, overrides: model.settings,
            stage: stage, batchSize: batch, threadCount: model.threads, data: data,
            communicator: communicator)
        let measurement = try benchmark.run(stepCount: model.steps)
        return model.json ? measurement.json : measurement.description
    }
}
