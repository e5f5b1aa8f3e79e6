import ArgumentParser
import Collectives
import Evaluation
import EvaluationCommand
import Host
import Training

/// `saccader-dist eval`
struct Eval: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Evaluates checkpoints as saccader-eval does, on all ranks that mpirun started.",
        discussion: EvaluationArguments.discussion
            + " The counts are the same for any number of ranks, threads and batch size.")

    @OptionGroup var arguments: EvaluationArguments

    func run() throws {
        let communicator = try MPICommunicator.launch()
        do {
            try RankAgreement.requireCommand(
                Array(CommandLine.arguments.dropFirst()), communicator: communicator)
            let share = RankShare(rank: communicator.rank, count: communicator.size) {
                try communicator.sum($0)
            }
            try arguments.evaluate(
                share, threadCount: Cores.share(ofRanks: communicator.size))
            try communicator.finish()
        } catch {
            Failure.end(error, on: communicator)
        }
    }
}
