import Foundation

/// The checkpoints of a run: `STAGE-STEP.h5`, and the links `last.h5` and `best.h5`.
public struct CheckpointFolder: Sendable {
    /// The folder.
    public let path: String

    /// Names the folder; it is made when the first checkpoint is written.
    public init(_ path: String) { self.path = path }

    /// The name of a checkpoint file.
    public static func name(stage: String, step: Int) -> String {
        let digits = String(step)
        return "\(stage)-\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits).h5"
    }

    /// Writes a checkpoint and links it as the last; returns its file name.
    public func write(
        _ header: CheckpointHeader, arrays: [CheckpointArray]
    ) throws(CheckpointError) -> String {
        try AtomicFile.createFolder(path)
        let name = Self.name(stage: header.stage, step: header.step)
        try Checkpoint.write(to: "\(path)/\(name)", header: header, arrays: arrays)
        try AtomicFile.link("\(path)/last.h5", to: name)
        return name
    }

    /// Links a checkpoint as the best.
    public func linkBest(_ name: String) throws(CheckpointError) {
        try AtomicFile.link("\(path)/best.h5", to: name)
    }

    /// The checkpoint files, oldest first.
    ///
    /// - Parameter stages: The stages in their order.
    public func names(stages: [String]) -> [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        var found: [(stage: Int, step: Int, name: String)] = []
        for name in files where name.hasSuffix(".h5") {
            let parts = name.dropLast(3).split(separator: "-")
            guard parts.count == 2, let stage = stages.firstIndex(of: String(parts[0])),
                let step = Int(parts[1])
            else { continue }
            found.append((stage, step, name))
        }
        return found.sorted { ($0.stage, $0.step) < ($1.stage, $1.step) }.map(\.name)
    }

    /// The newest checkpoint whose checksums hold, or nil where there is none.
    ///
    /// A damaged one is renamed to `NAME.damaged`; `warn` is told.
    public func newest(
        stages: [String], warn: (String) -> Void
    ) throws(CheckpointError) -> Checkpoint? {
        for name in names(stages: stages).reversed() {
            let file = "\(path)/\(name)"
            do {
                let checkpoint = try Checkpoint(reading: file)
                try checkpoint.verify()
                return checkpoint
            } catch {
                rename(file, "\(file).damaged")
                warn("\(error); set aside as \(name).damaged")
            }
        }
        return nil
    }

    /// Deletes the oldest checkpoints beyond `keep`, never the last or best one nor the newest of
    /// a stage.
    public func prune(keep: Int, stages: [String]) {
        let links = ["last.h5", "best.h5"].compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(path)/\($0)")
        }
        let names = names(stages: stages)
        let newest = stages.compactMap { stage in names.last { $0.hasPrefix("\(stage)-") } }
        let candidates = names.filter { !links.contains($0) && !newest.contains($0) }
        for name in candidates.dropLast(max(0, keep - 1)) { unlink("\(path)/\(name)") }
    }
}
