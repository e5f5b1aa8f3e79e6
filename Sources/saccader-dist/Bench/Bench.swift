import ArgumentParser
import Collectives
import Terminal
import Training

/// `saccader-dist bench`
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures speed on this machine, on all ranks that mpirun started.",
        subcommands: [
            BenchStep.self, BenchInference.self, BenchGEMM.self, BenchDepthwise.self,
            BenchAllReduce.self, BenchData.self, BenchScale.self,
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
        do {
            try RankAgreement.requireCommand(
                Array(CommandLine.arguments.dropFirst()), communicator: communicator)
            let text = try report(communicator)
            if communicator.rank == 0 { try Console.print(text) }
        } catch {
            Failure.end(error, on: communicator)
        }
        try communicator.finish()
    }
}
