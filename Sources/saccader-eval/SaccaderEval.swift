import ArgumentParser
import Evaluation
import EvaluationCommand
import Foundation

/// The standalone evaluation program: words to values, errors to one line and an exit code.
@main
struct SaccaderEval: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "saccader-eval",
        abstract: "Says how accurate a checkpoint is, policy by policy and glimpse by glimpse.",
        discussion: EvaluationArguments.discussion
            + " Needs no MPI; saccader-dist eval does the same on several ranks.",
        version: Program.version)

    @OptionGroup var arguments: EvaluationArguments

    func run() throws {
        try arguments.evaluate(threadCount: CPUQuota.usableCores)
    }

    static func main() {
        Console.prepare()
        do {
            var command = try parseAsRoot()
            do {
                try command.run()
            } catch  where exitCode(for: error) == .failure {
                Console.say("saccader-eval: \(error)")
                let code = Evaluation.ExitCode(of: error) ?? .internalError
                Foundation.exit(code.rawValue)
            }
        } catch {
            end(error)
        }
    }
}
