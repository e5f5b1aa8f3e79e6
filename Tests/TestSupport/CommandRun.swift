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

    /// Where a program of this package lies.
    public static func path(_ program: String) -> String { "\(folder)/\(program)" }

    /// Runs `program` of this package, under mpirun where `ranks` is given.
    public init(
        _ program: String, _ arguments: [String], ranks: Int? = nil, in folder: String? = nil
    ) throws {
        let path = Self.path(program)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let launcher = ranks.map { ["mpirun", "-n", "\($0)"] } ?? []
        process.arguments = launcher + [path] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging([
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
            "OMPI_MCA_rmaps_base_oversubscribe": "1", "OPENBLAS_NUM_THREADS": "1",
        ]) { $1 }
        if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
        // Files, not pipes: nothing can fill up and stall the program.
        let capture = try TemporaryFolder()
        for name in ["output", "errors"] {
            try Data().write(to: URL(fileURLWithPath: capture.path(name)))
        }
        let outputFile = try FileHandle(forWritingTo: URL(fileURLWithPath: capture.path("output")))
        let errorFile = try FileHandle(forWritingTo: URL(fileURLWithPath: capture.path("errors")))
        process.standardOutput = outputFile
        process.standardError = errorFile
        process.standardInput = FileHandle.nullDevice
        let start = Date()
        try process.run()
        process.waitUntilExit()
        seconds = Date().timeIntervalSince(start)
        status =
            process.terminationReason == .exit
            ? process.terminationStatus : 128 + process.terminationStatus
        output = try String(contentsOfFile: capture.path("output"), encoding: .utf8)
        errors = try String(contentsOfFile: capture.path("errors"), encoding: .utf8)
    }

    /// The lines that our programs wrote to standard error, without mpirun's own.
    public var messages: [String] {
        errors.split(separator: "\n").map(String.init).filter {
            $0.hasPrefix("saccader-dist: ") || $0.hasPrefix("saccader-eval: ")
                || $0.hasPrefix("Error: ")
        }
    }
}
