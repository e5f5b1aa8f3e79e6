import Foundation

/// How many threads a rank should have.
public enum Cores {
    /// The cores that this process may use: the launcher may have bound it to some.
    public static var usable: Int {
        // Linux tells the affinity mask as hexadecimal groups: "Cpus_allowed:	00000000,00000003".
        let status = FileManager.default.contents(atPath: "/proc/self/status")
        let text = status.map { String(decoding: $0, as: UTF8.self) } ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }
        let mask = line?.split(separator: ":").last ?? ""
        let count = mask.compactMap { $0.hexDigitValue?.nonzeroBitCount }.reduce(0, +)
        return count > 0 ? count : ProcessInfo.processInfo.activeProcessorCount
    }

    /// What is wrong with the threads of this host's ranks, if anything: cores that nobody uses, or
    /// that several threads share.
    public static func warning(threadCount: Int, ranks: Int) -> String? {
        let environment = ProcessInfo.processInfo.environment
        let local = environment["OMPI_COMM_WORLD_LOCAL_SIZE"].flatMap { Int($0) } ?? ranks
        return warning(
            threadCount: threadCount, localRanks: local, usable: usable,
            online: CPUQuota.usableCores)
    }

    /// - Parameters:
    ///   - usable: Cores that this rank may use.
    ///   - online: Cores of the host, or as many as its quota gives.
    static func warning(
        threadCount: Int, localRanks: Int, usable: Int, online: Int
    ) -> String? {
        let all = threadCount * localRanks
        let what = "\(localRanks) ranks × \(threadCount) threads"
        if threadCount > usable {
            return
                "\(threadCount) threads of a rank share the \(usable) cores that it is bound to: "
                + "give --threads \(usable), or start mpirun with --bind-to none"
        }
        if all > online {
            return "\(what) share the \(online) cores of this host and wait for each other: start "
                + "fewer ranks or threads"
        }
        if all < online {
            return "\(what) leave \(online - all) of this host's \(online) cores idle: start more "
                + "ranks, or give each more cores (mpirun --map-by slot:PE=\(online / localRanks))"
        }
        return nil
    }

    /// This rank's share: all cores that it is bound to, or, where ranks are not bound, the node's
    /// cores divided by its ranks; never more than this rank's part of a quota.
    public static func share(ofRanks rankCount: Int) -> Int {
        let online = ProcessInfo.processInfo.activeProcessorCount
        let local =
            ProcessInfo.processInfo.environment["OMPI_COMM_WORLD_LOCAL_SIZE"]
            .flatMap { Int($0) }
            ?? rankCount
        let share = usable < online ? usable : online / max(1, local)
        guard CPUQuota.cores != nil else { return max(1, share) }
        return max(1, min(share, CPUQuota.usableCores / max(1, local)))
    }
}
