import ArgumentParser
import Collectives
import Models
import Training

/// `saccader-dist bench depthwise`
struct BenchDepthwise: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "depthwise",
        abstract: "Times depthwise convolutions beside a copy, which memory bounds alike.")

    @Option(help: "Threads of each rank; left out: this rank's share of the cores.")
    var threads: Int?

    @Option(help: "float32 or bfloat16.")
    var precision = Precision.float32

    @Flag(help: "One JSON object on one line.")
    var json = false

    func validate() throws {
        try Positive.require(["threads": threads])
    }

    func report(_ communicator: any Communicator) throws -> String {
        try DepthwiseBenchmark(
            threadCount: threads, precision: precision, communicator: communicator
        )
        .report(json: json)
    }
}
