import ArgumentParser
import BuildCommit
import Collectives
import EvaluationCommand
import Foundation
import Host
import Images
import Terminal
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
        version: Program.description(commit: BuildCommit.digits),
        subcommands: [
            Train.self, Eval.self, Dataset.self, Inspect.self, ExportCommand.self,
            ImportCommand.self, TraceCommand.self, PlotCommand.self, DoctorCommand.self, Bench.self,
        ])

    static func main() {
        Console.prepare()
        StartingCores.take()
        let words: [String]
        do throws(RequestError) { words = try Program.words() } catch { Failure.end(error) }
        do {
            var command = try parseAsRoot(words)
            do {
                try command.run()
            } catch let code as ArgumentParser.ExitCode {
                // What there is to say has been said.
                throw code
            } catch  where exitCode(for: error) == .failure {
                Failure.endEarly(error)
            }
        } catch {
            end(error)
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

    /// The same where ranks that know nothing of each other may have been given the same words.
    static func endEarly(_ error: any Error) -> Never {
        if code(of: error) == Terminal.ExitCode.usage.rawValue { LauncherRank.giveWay() }
        Console.say("saccader-dist: \(LauncherRank.prefix)\(error)")
        exit(code(of: error))
    }

    /// One line on standard error.
    static func say(_ error: any Error) {
        Console.say("saccader-dist: \(error)")
    }

    /// The same on one rank of several: the line names the rank and all ranks end.
    ///
    /// - Parameter isSoleSpeaker: Whether no other rank says the same.
    static func end(
        _ error: any Error, on communicator: any Communicator, isSoleSpeaker: Bool = false
    ) -> Never {
        if communicator.size == 1 { end(error) }
        if !isSoleSpeaker {
            giveWay(to: speaker(of: error), on: communicator, code: code(of: error))
        }
        Console.say("saccader-dist: rank \(communicator.rank): \(error)")
        communicator.abort(exitCode: code(of: error))
    }

    /// The same where MPI has not started, so that there is nobody to end but this process; the
    /// launcher ends the others.
    static func endLaunch(_ error: TrainingError, rank: Int) -> Never {
        Console.say("saccader-dist: rank \(rank): \(error)")
        _exit(error.exitCode.rawValue)
    }

    /// The rank that says what is wrong; nil: each that comes here.
    private static func speaker(of error: any Error) -> Int? {
        switch error {
        case ImagesError.unreadable: nil
        case let error as TrainingError: error.rank ?? 0
        default: 0
        }
    }

    /// What is wrong on every rank is said once: the others give the speaker time to say it and to
    /// end the job, and speak only if it does not.
    private static func giveWay(to speaker: Int?, on communicator: any Communicator, code: Int32) {
        guard let speaker, speaker != communicator.rank else { return }
        for _ in 0..<30 {
            Thread.sleep(forTimeInterval: 0.1)
            if Signals.shared.isJobEnding { exit(code) }
        }
    }

    private static func code(of error: any Error) -> Int32 {
        Terminal.ExitCode(of: error).rawValue
    }
}

extension LoneProcess: ProgramError {
    public var exitCode: Terminal.ExitCode { .usage }
}

extension CollectiveError: ProgramError {
    /// The library can no longer reach another rank.
    public var exitCode: Terminal.ExitCode { .rankLost }
}
