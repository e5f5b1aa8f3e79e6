import ArgumentParser
import Collectives
import Training

/// `saccader-dist bench gemm`
struct BenchGEMM: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "gemm",
        abstract: "Times matrix products: the practical peak, and the sizes of the layers.")

    @OptionGroup var options: ProductOptions

    func report(_ communicator: any Communicator) throws -> String {
        try MatrixBenchmark(
            threadCount: options.threads, precision: options.precision, communicator: communicator
        ).report(json: options.json)
    }
}
