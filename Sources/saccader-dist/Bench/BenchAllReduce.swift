import ArgumentParser
import Collectives
import EvaluationCommand
import Families
import Training

/// `saccader-dist bench allreduce`
struct BenchAllReduce: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "allreduce",
        abstract: "Times sums over all ranks, up to the size of a stage's gradients.",
        discussion: """
            The sums of training: along a fixed tree, so that their bits do not depend on the number \
            of ranks. Bus bandwidth counts 2·(n − 1)/n of the vector, what each of n ranks has to \
            send at least. A time is that of the slowest rank. Hidden is the part of a sum that goes \
            on beside matrix products that take as long as the sum does, without making them \
            longer; where other ranks are on the same machine and every core computes, that is \
            little, as copying and adding take a core. What a step waits for its sum, `bench step` \
            tells.
            """)

    @Option(help: "A configuration (YAML); left out: the demonstration.")
    var config: String?

    @Option(name: .customLong("set"), help: "key.path=value, on top of the configuration.")
    var overrides: [String] = []

    @Option(help: ArgumentHelp(Families.stageNames.joined(separator: ", ") + "."))
    var stage = "joint"

    @Option(help: "Sums of each size that count.")
    var steps = 9

    @Flag(help: "One JSON object on one line.")
    var json = false

    func validate() throws {
        try OptionRange.require(["steps": steps])
    }

    func report(_ communicator: any Communicator) throws -> String {
        try AllReduceBenchmark(
            configurationPath: config, overrides: overrides, stage: stage, repeats: steps,
            communicator: communicator
        ).report(json: json)
    }
}
