import Foundation

/// A program of this package that is running.
public final class StartedCommand {
    private let process = Process()
    private let capture: TemporaryFolder
    private let start = Date()

    /// Starts `program`, under mpirun where `ranks` is given, as nothing of what the tests were started
    /// in can change: environment, empty working folder, umask and signals are always the same.
    ///
    /// - Parameters:
    ///   - launcher: What takes mpirun's place, with arguments for `env` before it.
    ///   - environment: Replaces variables of `ProgramEnvironment`.
    public init(
        _ program: String, _ arguments: [String], ranks: Int? = nil,
        launcher: [String]? = nil, environment: [String: String] = [:]
    ) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let launch =
            (launcher ?? (ranks == nil ? [] : ["mpirun"])) + (ranks.map { ["-n", "\($0)"] } ?? [])
        // As after nohup: a shell cannot trap what was ignored when it started.
        process.arguments =
            ["--default-signal"] + launch + [CommandRun.path(program)] + arguments
        capture = try TemporaryFolder()
        let home = capture.path("home")
        try FileManager.default.createDirectory(
            atPath: home, withIntermediateDirectories: false)
        process.environment = try ProgramEnvironment.variables(home: home)
            .merging(environment) { $1 }
        process.currentDirectoryURL = URL(fileURLWithPath: home)
        // Files, not pipes: nothing can fill up and stall the program.
        for name in ["output", "errors"] {
            try Data().write(to: URL(fileURLWithPath: capture.path(name)))
        }
        process.standardOutput = try FileHandle(
            forWritingTo: URL(fileURLWithPath: capture.path("output")))
        process.standardError = try FileHandle(
            forWritingTo: URL(fileURLWithPath: capture.path("errors")))
        process.standardInput = FileHandle.nullDevice
        // A test's thread may block signals, and what it starts would never get them.
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let mask = umask(0o022)
        defer { umask(mask) }
        try process.run()
    }

    deinit {
        // A test that failed has not waited for its end.
        if process.isRunning { Self.end(identifier) }
    }

    /// Kills a process and all that it started; a stopped one, too.
    private static func end(_ process: Int32) {
        let started: [Int32]
        do { started = try children(process) } catch { return }  // It has gone meanwhile.
        kill(process, SIGKILL)
        started.forEach(end)
    }

    /// The process that was started: mpirun, where there are ranks.
    public var identifier: Int32 { process.processIdentifier }

    /// The processes of the ranks, in the order in which mpirun started them.
    public func ranks() throws -> [Int32] { try Self.children(identifier) }

    /// The processes that `process` started.
    public static func children(_ process: Int32) throws -> [Int32] {
        try String(contentsOfFile: "/proc/\(process)/task/\(process)/children", encoding: .utf8)
            .split(separator: " ").compactMap { Int32($0) }
    }

    /// Whether a process runs; one that has ended may wait for its parent to notice.
    public static func isAlive(_ process: Int32) -> Bool {
        state("/proc/\(process)/stat").map { $0 != "Z" } ?? false
    }

    /// Whether all threads of a process have been stopped; one that has not may still take a signal.
    public static func isStopped(_ process: Int32) throws -> Bool {
        let tasks = "/proc/\(process)/task"
        return try FileManager.default.contentsOfDirectory(atPath: tasks).allSatisfy {
            state("\(tasks)/\($0)/stat") == "T"
        }
    }

    /// The letter after the name, which may hold anything; nil where there is no such process.
    private static func state(_ path: String) -> Character? {
        let status = String(
            decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
        guard let end = status.lastIndex(of: ")") else { return nil }
        return status[end...].dropFirst(2).first
    }

    /// Whether a signal has been sent to a process that has not taken it yet.
    public static func isPending(_ signal: Int32, _ process: Int32) throws -> Bool {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let mask = status.firstMatch(of: /ShdPnd:\s+([0-9a-f]+)/).flatMap { Int($0.1, radix: 16) }
        return ((mask ?? 0) >> (Int(signal) - 1)) & 1 == 1
    }

    /// What it has written to standard error so far.
    public func errors() throws -> String {
        try String(contentsOfFile: capture.path("errors"), encoding: .utf8)
    }

    /// Waits for its end.
    public func wait() throws -> CommandRun {
        process.waitUntilExit()
        return CommandRun(
            status: process.terminationReason == .exit
                ? process.terminationStatus : 128 + process.terminationStatus,
            output: try String(contentsOfFile: capture.path("output"), encoding: .utf8),
            errors: try errors(), seconds: Date().timeIntervalSince(start))
    }
}
