import Foundation

/// The rank that a launcher tells a process in its environment, known before MPI has started.
public enum LauncherRank {
    /// This process's; nil where no launcher has started it.
    public static var own: Int? { rank(of: ProcessInfo.processInfo.environment) }

    /// The one that an environment tells.
    public static func rank(of environment: [String: String]) -> Int? {
        for name in ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"] {
            if let rank = environment[name].flatMap({ Int($0) }) { return rank }
        }
        return nil
    }

    /// Whether the first of several processes says the same as this one.
    public static var isEcho: Bool { (own ?? 0) > 0 }

    /// Gives the first process, which has been given the same wrong words, time to say so and the
    /// launcher time to end the others; returns where this one is alone with them.
    public static func giveWay() {
        if isEcho { Thread.sleep(forTimeInterval: 5) }
    }

    /// "rank 2: ", for what this process has to say alone.
    public static var prefix: String { isEcho ? "rank \(own ?? 0): " : "" }
}
