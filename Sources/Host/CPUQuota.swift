import Foundation

/// How many cores' time this process's control groups give it, as with `docker run --cpus 1`: no
/// core is missing, but more threads than that are made to wait in the middle of a step.
public enum CPUQuota {
    /// The quota in cores; nil where there is none.
    public static var cores: Double? { cores(.current) }

    static func cores(_ groups: ControlGroups) -> Double? {
        groups.folders(of: "cpu").compactMap { folder in
            // "QUOTA PERIOD" or "max PERIOD" in microseconds; -1 for none in version 1.
            let words =
                folder.isVersion2
                ? ControlGroups.words("\(folder.path)/cpu.max")
                : ControlGroups.words("\(folder.path)/cpu.cfs_quota_us")
                    + ControlGroups.words("\(folder.path)/cpu.cfs_period_us")
            let numbers = words.compactMap { Double($0) }
            guard words.count == 2, numbers.count == 2, numbers[0] > 0, numbers[1] > 0 else {
                return nil
            }
            return numbers[0] / numbers[1]
        }.min()
    }

    /// The host's cores that may be used at the same time: those that are there, or as many whole
    /// ones as the quota gives, at least 1.
    public static var usableCores: Int {
        let online = ProcessInfo.processInfo.activeProcessorCount
        return cores.map { max(1, min(online, Int($0))) } ?? online
    }
}
