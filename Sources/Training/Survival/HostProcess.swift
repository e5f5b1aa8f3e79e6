import Foundation
import Terminal

/// A process that the same launcher has started on this host.
struct HostProcess {
    let rank: Int?
    /// Whether a signal or a debugger has stopped it.
    let isStopped: Bool

    /// This process's siblings.
    static func siblings() -> [HostProcess] {
        let processes: [String]
        do { processes = try FileManager.default.contentsOfDirectory(atPath: "/proc") } catch {
            // Without it nothing is known of others.
            return []
        }
        return processes.compactMap { Int32($0) }.compactMap(read)
    }

    /// Nil where it has another parent than this one, or is gone.
    private static func read(_ process: Int32) -> HostProcess? {
        guard process != getpid(),
            let stat = FileManager.default.contents(atPath: "/proc/\(process)/stat")
        else { return nil }
        // NUMBER (NAME) STATE PARENT …, and the name may hold anything.
        let text = String(decoding: stat, as: UTF8.self)
        guard let name = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: name)...].split(separator: " ")
        guard fields.count > 1, Int32(fields[1]) == getppid() else { return nil }
        let variables = FileManager.default.contents(atPath: "/proc/\(process)/environ") ?? Data()
        let pairs = variables.split(separator: 0).compactMap { variable -> (String, String)? in
            let parts = String(decoding: variable, as: UTF8.self)
                .split(separator: "=", maxSplits: 1)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
        return HostProcess(
            rank: LauncherRank.rank(of: Dictionary(pairs) { first, _ in first }),
            isStopped: ["T", "t"].contains(fields[0]))
    }
}
