import ArgumentParser
import Collectives
import Training

/// `saccader-dist bench depthwise`
struct BenchDepthwise: Benchmark {
    static let configuration = CommandConfiguration(
        commandName: "depthwise",
        abstract: "Times depthwise convolutions beside a copy, which memory bounds alike.")

    @OptionGroup var options: ProductOptions

    func report(_ communicator: any Communicator) throws -> String {
        try DepthwiseBenchmark(
            threadCount: options.threads, precision: options.precision, communicator: communicator
        ).report(json: options.json)
    }
}
