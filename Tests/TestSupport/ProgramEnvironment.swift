import Foundation

/// The environment of the programs that tests start: the same wherever, and from whatever, the tests
/// are run.
enum ProgramEnvironment {
    /// How this machine finds programs and libraries, and where it has room for a while.
    private static let passed = ["PATH", "LD_LIBRARY_PATH", "OPAL_PREFIX", "CHROMIUM", "TMPDIR"]

    /// The variables of a user who has sourced cluster/local/environment.
    ///
    /// - Parameter home: The user's folder; Open MPI reads settings there.
    /// - Throws: Where the file cannot be read.
    static func variables(home: String) throws -> [String: String] {
        let own = ProcessInfo.processInfo.environment
        var variables = own.filter { passed.contains($0.key) }
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../cluster/local/environment")
        let text = try String(contentsOf: file, encoding: .utf8)
        for line in text.matches(of: /(?m)^export (\w+)=(.*)$/) {
            variables[String(line.1)] = String(line.2)
        }
        variables["HOME"] = home
        variables["LC_ALL"] = "C.UTF-8"
        variables["TZ"] = "UTC"
        variables["TERM"] = "dumb"
        return variables
    }
}
