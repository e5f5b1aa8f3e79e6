import Foundation

/// How many threads a rank should have.
public enum Cores {
    /// The cores that this process may use: the launcher may have bound it to some.
    static var usable: Int {
        // Linux tells the affinity mask as hexadecimal groups: "Cpus_allowed:	00000000,00000003".
        let status = FileManager.default.contents(atPath: "/proc/self/status")
        let text = status.map { String(decoding: $0, as: UTF8.self) } ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed:") }
        let mask = line?.split(separator: ":").last ?? ""
        let count = mask.compactMap { $0.hexDigitValue?.nonzeroBitCount }.reduce(0, +)
        return count > 0 ? count : ProcessInfo.processInfo.activeProcessorCount
    }

    /// This rank's share: all cores that it is bound to, or, where ranks are not bound, the node's
    /// cores divided by its ranks.
    public static func share(ofRanks rankCount: Int) -> Int {
        let online = ProcessInfo.processInfo.activeProcessorCount
        let usable = usable
        if usable < online { return max(1, usable) }
        let local = ProcessInfo.processInfo.environment["OMPI_COMM_WORLD_LOCAL_SIZE"]
            .flatMap { Int($0) }
        return max(1, usable / max(1, local ?? rankCount))
    }
}
