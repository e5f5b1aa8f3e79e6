import Foundation

/// How much memory this process may have: what the host has, or less, where a scheduler or a
/// container gave it a control group with a limit.
enum MemoryLimit {
    /// In bytes.
    static var byteCount: Int {
        byteCount(
            physical: Int(clamping: ProcessInfo.processInfo.physicalMemory),
            groups: text("/proc/self/cgroup") ?? "", root: "/sys/fs/cgroup")
    }

    /// - Parameters:
    ///   - groups: The lines of `/proc/self/cgroup`, `NUMBER:CONTROLLERS:PATH`.
    ///   - root: Where the control groups are mounted.
    static func byteCount(physical: Int, groups: String, root: String) -> Int {
        var limit = physical
        for line in groups.split(separator: "\n") {
            let fields = line.split(
                separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            // Version 2 has one tree without a controller's name, version 1 one for memory.
            let (folder, name) =
                fields[1].isEmpty
                ? (root, "memory.max") : (root + "/memory", "memory.limit_in_bytes")
            guard fields[1].isEmpty || fields[1].split(separator: ",").contains("memory") else {
                continue
            }
            // The limits of all groups above hold too. In a container the path may be the host's:
            // what is mounted at the root is the container's own then.
            var parts = fields[2].split(separator: "/")
            while true {
                let path = ([folder] + parts.map(String.init) + [name]).joined(separator: "/")
                // No file, or the word "max": no limit.
                let word = text(path)?.trimmingCharacters(in: .whitespacesAndNewlines)
                if let value = word.flatMap({ Int($0) }), value > 0 { limit = min(limit, value) }
                if parts.popLast() == nil { break }
            }
        }
        return limit
    }

    /// What a file of the kernel says; nil where there is none.
    private static func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }
}
