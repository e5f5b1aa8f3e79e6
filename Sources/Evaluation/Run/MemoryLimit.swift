import Foundation

/// How much memory this process may have: what the host has, or less, where a scheduler or a
/// container gave it a control group with a limit.
enum MemoryLimit {
    /// In bytes.
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
}
