import Foundation

/// The control groups that this process is in: a scheduler or a container may have given one a
/// limit, and the limits of all groups above hold too.
struct ControlGroups {
    /// The lines of `/proc/self/cgroup`, `NUMBER:CONTROLLERS:PATH`.
    let lines: String
    /// Where the groups are mounted.
    let root: String

    /// The control groups of this process.
    static var current: ControlGroups {
        ControlGroups(lines: text("/proc/self/cgroup") ?? "", root: "/sys/fs/cgroup")
    }

    /// The folders that may hold a controller's limits, from this process's own group up.
    ///
    /// - Returns: Each with whether its files are those of version 2.
    func folders(of controller: String) -> [(path: String, isVersion2: Bool)] {
        var found: [(path: String, isVersion2: Bool)] = []
        for line in lines.split(separator: "\n") {
            let fields = line.split(
                separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            // Version 2 has one tree without a controller's name, version 1 one for each.
            let isVersion2 = fields[1].isEmpty
            guard isVersion2 || fields[1].split(separator: ",").contains(Substring(controller))
            else { continue }
            // In a container the path may be the host's: what is mounted at the root is the
            // container's own then.
            var parts = fields[2].split(separator: "/").map(String.init)
            let top = isVersion2 ? root : "\(root)/\(controller)"
            while true {
                found.append((([top] + parts).joined(separator: "/"), isVersion2))
                if parts.popLast() == nil { break }
            }
        }
        return found
    }

    /// The words that a file of the kernel says; none where there is no such file.
    static func words(_ path: String) -> [Substring] {
        (text(path) ?? "").split(whereSeparator: \.isWhitespace)
    }

    private static func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
    }
}
