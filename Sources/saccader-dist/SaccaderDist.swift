import ArgumentParser
import Collectives
import Evaluation
import Foundation
import Training

/// The program: words to values, errors to one line and an exit code.
@main
struct SaccaderDist: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "saccader-dist",
        abstract: "Trains the Saccader, a hard-attention image classifier, data-parallel over MPI.",
        discussion: """
            Start with: mpirun -n 2 saccader-dist train
            It trains the built-in demonstration; a configuration file trains anything else.
            """,
        version: Program.version,
        subcommands: [
            Train.self, Eval.self, Dataset.self, Inspect.self, TraceCommand.self,
            DoctorCommand.self,
            Bench.self,
        ])

    static func main() {
        do {
            var command = try parseAsRoot()
            do {
                try command.run()
            } catch let code as ArgumentParser.ExitCode {
                // What there is to say has been said.
                throw code
            } catch  where exitCode(for: error) == .failure {
                Failure.end(error)
            }
        } catch {
            exit(withError: error)
        }
    }
}

/// How the program ends when something went wrong.
enum Failure {
    /// Prints one line and ends the program with the contract's exit code.
    static func end(_ error: any Error) -> Never {
        say(error)
        exit(code(of: error))
    }

    /// One line on standard error.
    static func say(_ error: any Error) {
        FileHandle.standardError.write(Data("saccader-dist: \(error)\n".utf8))
    }

    /// The same on one rank of several: the line names the rank and all ranks end.
    static func end(_ error: any Error, on communicator: any Communicator) -> Never {
        if communicator.size == 1 { end(error) }
        // What is wrong on every rank is said once: the others give rank 0 time to say it.
        if communicator.rank > 0 { Thread.sleep(forTimeInterval: 1) }
        FileHandle.standardError.write(
            Data("saccader-dist: rank \(communicator.rank): \(error)\n".utf8))
        communicator.abort(exitCode: code(of: error))
    }

    private static func code(of error: any Error) -> Int32 {
        if let code = Evaluation.ExitCode(of: error) { return code.rawValue }
        return switch error {
        case let error as TrainingError: error.exitCode.rawValue
        default: Evaluation.ExitCode.internalError.rawValue
        }
    }
}
