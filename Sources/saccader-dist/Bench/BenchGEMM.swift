import ArgumentParser
import Collectives
import Models
import Training

/// `saccader-dist bench gemm`
struct BenchGEMM: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "gemm",
        abstract: "Times matrix products: the practical peak, and the sizes of the layers.")

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
        try MatrixBenchmark(
            threadCount: threads, precision: precision, communicator: communicator
        )
        .report(json: json)
    }
}
