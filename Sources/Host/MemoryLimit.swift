import Foundation

/// How much memory this process may have: what the host has, or less, where a scheduler or a
/// container gave it a control group with a limit.
enum MemoryLimit {
    /// The limit in bytes, for all processes of the host or the group together.
    static var byteCount: Int {
        byteCount(
            physical: Int(clamping: ProcessInfo.processInfo.physicalMemory), groups: .current)
    }

    /// - Parameter physical: What the host has.
    static func byteCount(physical: Int, groups: ControlGroups) -> Int {
        groups.folders(of: "memory").compactMap { folder in
            let name = folder.isVersion2 ? "memory.max" : "memory.limit_in_bytes"
            // No file, or the word "max": no limit.
            return ControlGroups.words("\(folder.path)/\(name)").first.flatMap { Int($0) }
        }.filter { $0 > 0 }.reduce(physical, min)
    }

    /// What `ulimit -v` or `ulimit -d` still leaves to this process alone, in bytes; nil where
    /// there is no such limit.
    static var ofProcess: Int? {
        // The sizes of the process in pages: all, resident, shared, text, library, data.
        let pages = ControlGroups.words("/proc/self/statm").compactMap { Int($0) }
        let pageSize = sysconf(Int32(_SC_PAGESIZE))
        guard pages.count > 5 else { return nil }
        let limits = [(RLIMIT_AS, pages[0]), (RLIMIT_DATA, pages[5])]
        return limits.compactMap { resource, used -> Int? in
            var limit = rlimit()
            guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0,
                limit.rlim_cur != rlim_t.max
            else { return nil }
            return max(0, Int(clamping: limit.rlim_cur) - used * pageSize)
        }.min()
    }
}
