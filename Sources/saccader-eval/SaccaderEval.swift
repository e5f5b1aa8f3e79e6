import ArgumentParser
import BuildCommit
import EvaluationCommand
import Foundation
import Host
import Terminal

/// The standalone evaluation program: words to values, errors to one line and an exit code.
@main
struct SaccaderEval: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "saccader-eval",
        abstract: "Says how accurate a checkpoint is, policy by policy and glimpse by glimpse.",
        discussion: EvaluationArguments.discussion
            + " Needs no MPI; saccader-dist eval does the same on several ranks. For pictures "
            + "without a known class: saccader-eval predict CHECKPOINT PICTURE … (see "
            + "saccader-eval predict --help).",
        version: Program.description(commit: BuildCommit.digits))

    @OptionGroup var arguments: EvaluationArguments

    func run() throws {
        try arguments.evaluate(threadCount: CPUQuota.usableCores)
    }

    static func main() {
        Console.prepare()
        StartingCores.take()
        let words: [String]
        do throws(RequestError) { words = try Program.words() } catch {
            Console.say("saccader-eval: \(error)")
            Foundation.exit(error.exitCode.rawValue)
        }
        words.first == "predict"
            ? main(Predict.self, Array(words.dropFirst())) : main(Self.self, words)
    }

    private static func main<Command: ParsableCommand>(_: Command.Type, _ words: [String]) {
        do {
            var command = try Command.parseAsRoot(words)
            do {
                try command.run()
            } catch  where Command.exitCode(for: error) == .failure {
                Console.say("saccader-eval: \(error)")
                Foundation.exit(Terminal.ExitCode(of: error).rawValue)
            }
        } catch {
            Command.end(error)
        }
    }
}
