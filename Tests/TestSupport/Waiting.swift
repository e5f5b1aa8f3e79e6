import Foundation

/// How tests wait: for a condition, and so long that only what never comes fails, however busy the
/// machine is.
public enum Waiting {
    /// In seconds; on an idle machine nothing that is waited for takes a tenth of it.
    public static let limit = 120.0

    private struct Timeout: Error, CustomStringConvertible {
        let description: String
    }

    /// Asks until the condition holds.
    ///
    /// - Parameter what: The condition in words, for the error.
    /// - Throws: Where it does not hold within the limit.
    public static func until(_ what: String, _ condition: () throws -> Bool) throws {
        let deadline = Date() + limit
        while try !condition() {
            guard Date() < deadline else {
                throw Timeout(description: "not within \(Int(limit)) s: \(what)")
            }
            Thread.sleep(forTimeInterval: 0.005)
        }
    }

    /// Waits for the log of the run in `output` to have at least `count` lines.
    public static func lines(_ count: Int, in output: String) throws {
        try until("\(count) lines in \(output)/metrics.jsonl") {
            let log = FileManager.default.contents(atPath: "\(output)/metrics.jsonl") ?? Data()
            return log.count { $0 == UInt8(ascii: "\n") } >= count
        }
    }

    /// Waits for the end of processes: killed ones may wait for the system to notice.
    public static func end(of processes: [Int32]) throws {
        try until("the end of processes \(processes)") {
            !processes.contains(where: StartedCommand.isAlive)
        }
    }
}
