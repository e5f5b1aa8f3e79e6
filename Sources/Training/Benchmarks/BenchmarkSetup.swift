import Collectives
import Families
import Foundation
import Host
import Models
import Tensors
import Terminal

/// What a benchmark of the model runs with: settings, precision, threads, ranks.
struct BenchmarkSetup {
    let configuration: RunConfiguration
    /// The settings' precision, where every rank has what it needs.
    let precision: Precision
    let pool: ThreadPool
    let communicator: any Communicator

    /// Reads the settings; all ranks agree on the precision.
    ///
    /// - Parameters:
    ///   - path: YAML; nil: the demonstration.
    ///   - threadCount: Of each rank; nil: its share of the cores.
    init(
        _ path: String?, overrides: [String], stage: Stage, threadCount: Int?,
        communicator: any Communicator
    ) throws {
        configuration = try RunConfiguration.read(
            path.map { .file($0) } ?? .demonstration, overrides: overrides, for: [stage])
        self.communicator = communicator
        MatrixMultiply.useOneThread()
        let arithmetic = try RankArithmetic(communicator)
        precision = configuration.precision.agreed(arithmetic)
        if communicator.rank == 0, let warning = configuration.precision.warning(arithmetic) {
            Console.say(warning)
        }
        pool = ThreadPool(threadCount: threadCount ?? Cores.share(ofRanks: communicator.size))
        if let warning = pool.warning { Console.say("warning: \(warning)") }
    }

    /// Runs `body` `count` times, on all ranks at once, after once that does not count, and tells
    /// what it came to, each time's result beside.
    ///
    /// - Parameters:
    ///   - imageCount: Of all ranks, each time.
    ///   - operationsPerImage: Nominal: what the layers' definitions ask for.
    func time<Result>(
        _ stage: String, count: Int, imageCount: Int, operationsPerImage: Double,
        _ body: (_ number: Int) throws -> Result
    ) throws -> (speed: Speed, results: [Result]) {
        let matrix = MatrixBenchmark(
            threadCount: pool.threadCount, precision: precision, communicator: communicator)
        var results: [Result] = []
        var (seconds, cpuSeconds): ([Double], [Double]) = ([], [])
        for number in 0...count {
            try communicator.barrier()
            let usage = ProcessUsage()
            let (result, elapsed) = try Stopwatch.time { try body(number) }
            guard number > 0 else { continue }
            results.append(result)
            seconds.append(elapsed)
            cpuSeconds.append(ProcessUsage().cpuSeconds - usage.cpuSeconds)
        }
        let peakByteCount = ProcessUsage().peakByteCount
        // Twice, as others may use the machine; at the end, as it takes memory too.
        let peakRate = max(try matrix.peakRate(), try matrix.peakRate())
        let speed = Speed(
            stage: stage, batch: imageCount, ranks: communicator.size, threads: pool.threadCount,
            precision: precision.rawValue, library: MatrixMultiply.libraryDescription,
            seconds: seconds, cpuSeconds: cpuSeconds.median,
            gigaflopsPerImage: operationsPerImage * 1e-9, peakGigaflops: peakRate,
            peakMemoryBytes: peakByteCount)
        return (speed, results)
    }
}
