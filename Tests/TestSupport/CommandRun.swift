import Foundation

/// One run of a program as a user would start it.
public struct CommandRun: Sendable {
    /// The exit code; of a signal, 128 plus its number.
    public let status: Int32
    /// Standard output.
    public let output: String
    /// Standard error.
    public let errors: String
    /// How long it took.
    public let seconds: Double

    /// The programs lie beside the test runner.
    static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().path

    /// Where a program of this package lies; a path is one already.
    public static func path(_ program: String) -> String {
        program.hasPrefix("/") ? program : "\(folder)/\(program)"
    }

    /// Runs `program`, of this package or a path, under mpirun where `ranks` is given.
    public init(
        _ program: String, _ arguments: [String], ranks: Int? = nil,
        environment: [String: String] = [:]
    ) throws {
        self = try StartedCommand(
            program, arguments, ranks: ranks, environment: environment
        ).wait()
    }

    init(status: Int32, output: String, errors: String, seconds: Double) {
        (self.status, self.output, self.errors) = (status, output, errors)
        self.seconds = seconds
    }

    /// The lines that our programs wrote to standard error, without mpirun's own.
    public var messages: [String] {
        errors.split(separator: "\n").map(String.init).filter {
            $0.hasPrefix("saccader-dist: ") || $0.hasPrefix("saccader-eval: ")
                || $0.hasPrefix("Error: ")
        }
    }
}
