import ArgumentParser
import Collectives
import EvaluationCommand
import Families
import Training

/// `saccader-dist bench scale`
struct BenchScale: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract: "Measures a step here and predicts it on 2 to 1024 nodes.",
        discussion: """
            Each node is one rank with as many images as here. The model: with latency a and b \
            seconds a byte of a link in each direction, c seconds to add a byte (measured), w the \
            largest power of two in n, a sum of B bytes over n ranks takes

              log2(w)·(a + B(b + c))                 up to 16 KiB
              2·log2(w)·a + (1 − 1/w)·B·(2b + c)     above, each piece of 4 MiB for itself
              + 2(a + B·b) + B·c                     where n is no power of two

            which is what the program does: halves along a binary tree. A step on n nodes takes the \
            step on one, each sum of norms and losses, and after the backward pass the pieces of \
            the gradients. Beside the backward pass a piece's sum begins when the piece is complete \
            and the one before it summed: the step waits for what is left at the end, and for the \
            additions, which take a core. Left out: links that others use.

            At each sum all nodes wait for the slowest. Each time from one sum to the next is taken \
            to be its median times a factor of its own, distributed as those measured here; what \
            the slowest of n nodes is expected to take beyond one alone is added up over the sums. \
            The more --steps, the better are rare factors known, for which many nodes wait.

            Under mpirun the prediction for these ranks stands beside what they do. Latency and \
            bandwidth are measured then, by sums of 1 KiB and 4 MiB, unless they are given, and the \
            step on one rank is taken by all at the same time: on shared cores it is slower, as \
            the ranks' steps are.
            """)

    @OptionGroup var model: ModelOptions

    @Option(help: ArgumentHelp(Families.stageNames.joined(separator: ", ") + "."))
    var stage = "representation"

    @Option(help: "Images of each node; left out: the stage's batchSize.")
    var batch: Int?

    @Option(help: "Gb/s of a link in each direction, again for another (default: 10 and 100).")
    var bandwidth: [Double] = []

    @Option(help: "Latency of a link in microseconds (default: 20).")
    var latency: Double?

    @Option(
        help: "A node's speed over this one's, again for the next; repeated in turn (default: 1).")
    var speed: [Double] = []

    func validate() throws {
        for value in speed where !(value > 0 && value.isFinite) {
            throw ValidationError("--speed is \(value): give more than 0, 0.5 for half as fast")
        }
        try OptionRange.require(["batch": batch])
        for value in bandwidth where !(value > 0) {
            throw ValidationError("--bandwidth is \(value): give more than 0 Gb/s")
        }
        if let latency, !(latency >= 0) {
            throw ValidationError("--latency is \(latency): give at least 0 microseconds")
        }
    }

    func report(_ communicator: any Communicator) throws -> String {
        try ScalingBenchmark(
            configurationPath: model.config, overrides: model.settings,
            stage: stage, batchSize: batch, threadCount: model.threads,
            network: ScalingBenchmark.Network(
                gigabitsPerSecond: bandwidth, latencyMicroseconds: latency, speeds: speed),
            communicator: communicator
        ).report(stepCount: model.steps, json: model.json)
    }
}
