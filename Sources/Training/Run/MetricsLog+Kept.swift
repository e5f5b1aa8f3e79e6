import Checkpoints
import Foundation

extension MetricsLog {
    /// Gives lines that are no part of this run another name, `NAME-1.jsonl` or the next that is
    /// free: checkpoints may have been deleted by hand, but nobody has asked for the log to go.
    ///
    /// - Returns: The other name; nil where there are no lines.
    static func setAside(_ path: String) throws(CheckpointError) -> String? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_size > 0 else { return nil }
        let base = path.hasSuffix(".jsonl") ? String(path.dropLast(6)) : path
        // The folder is this run's alone: no other takes the name between look and use.
        var number = 1
        while lstat("\(base)-\(number).jsonl", &status) == 0 { number += 1 }
        let name = "\(base)-\(number).jsonl"
        guard rename(path, name) == 0 else { throw CheckpointError(writing: name) }
        return name
    }
}
