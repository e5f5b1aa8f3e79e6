import ArgumentParser
import Collectives
import Foundation
import Terminal
import Training

/// `saccader-dist doctor`
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Checks what a run needs on this host, one line each with the remedy.",
        discussion: """
            On several hosts: mpirun --hostfile HOSTS saccader-dist doctor --output DIR. A line \
            starts with ok, note (slower than it could be) or BAD (a run would fail; the exit \
            code is 1 then).
            """)

    @Option(help: "The folder that a run would write to.")
    var output = "runs"

    @Flag(help: ArgumentHelp("Joins the other ranks, adds up, leaves.", visibility: .hidden))
    var probe = false

    func run() throws {
        let communicator = try MPICommunicator.launch()
        if probe {
            guard communicator.size > 1, try communicator.sum([1]) == [communicator.size] else {
                throw ExitCode(1)
            }
            return try communicator.finish()
        }
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        let doctor = Doctor(output: output, program: program, communicator: communicator)
        let findings = try doctor.findings()
        let host = communicator.size > 1 ? "\(ProcessInfo.processInfo.hostName): " : ""
        // In one piece, so that the lines of several hosts do not mix.
        let lines = findings.map { "\(host)\($0.description)\n" }.joined()
        if !lines.isEmpty { try Console.print(lines, terminator: "") }
        try communicator.finish()
        if findings.contains(where: \.isBad) { throw ExitCode(1) }
    }
}
