import ArgumentParser
import Collectives

/// `saccader-dist bench`
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures speed on this machine, on all ranks that mpirun started.",
        subcommands: [
            BenchStep.self, BenchInference.self, BenchGEMM.self, BenchAllReduce.self,
            BenchData.self, BenchScale.self,
        ])
}

/// A benchmark that runs on every rank, and whose text the first one prints.
protocol Benchmark: ParsableCommand {
    /// Measures, together with the other ranks.
    func report(_ communicator: any Communicator) throws -> String
}

extension Benchmark {
    func run() throws {
        let communicator = try MPICommunicator.launch()
        let text: String
        do {
            text = try report(communicator)
        } catch {
            Failure.end(error, on: communicator)
        }
        if communicator.rank == 0 { print(text) }
        try communicator.finish()
    }
}
