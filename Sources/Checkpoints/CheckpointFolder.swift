import Files
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

    /// Writes the checkpoint `name` and links it as the last.
    ///
    /// - Parameter onProgress: Called whenever a piece has been written.
    public func write(
        _ name: String, _ image: FileImage, onProgress: () -> Void = {}
    ) throws(CheckpointError) {
        try CheckpointError.of(try AtomicFile.createFolder(path))
        try image.write(to: "\(path)/\(name)", onProgress: onProgress)
        try CheckpointError.of(
            try AtomicFile.link("\(path)/last.h5", to: name, onProgress: onProgress))
    }

    /// Links a checkpoint as the best.
    ///
    /// - Parameter onProgress: Called whenever a piece has been written.
    public func linkBest(
        _ name: String, onProgress: () -> Void = {}
    ) throws(CheckpointError) {
        try CheckpointError.of(
            try AtomicFile.link("\(path)/best.h5", to: name, onProgress: onProgress))
    }

    /// The checkpoint files, oldest first.
    ///
    /// - Parameter stages: The stages in their order.
    /// - Throws: Where the folder is there but cannot be read.
    public func names(stages: [String]) throws(CheckpointError) -> [String] {
        let files = try CheckpointError.of(try AtomicFile.list(path))
        var found: [(stage: Int, step: Int, name: String)] = []
        for name in files where name.hasSuffix(".h5") {
            let parts = name.dropLast(3).split(separator: "-")
            guard parts.count == 2, let stage = stages.firstIndex(of: String(parts[0])),
                let step = Int(parts[1]),
                // What is named otherwise is somebody else's.
                name == Self.name(stage: String(parts[0]), step: step)
            else { continue }
            found.append((stage, step, name))
        }
        return found.sorted { ($0.stage, $0.step) < ($1.stage, $1.step) }.map(\.name)
    }

    /// The newest checkpoint whose checksums hold, or nil where there is none.
    ///
    /// A damaged one is renamed to `NAME.damaged`, `warn` is told, and `last.h5` links to the one
    /// before it. A disk that cannot be read is no damage of the file, and one that somebody has
    /// edited is an error: to go on from the one before it would lose the edit.
    ///
    /// - Parameter acceptsEdited: Whether the user has said that arrays were edited.
    public func newest(
        stages: [String], acceptsEdited: Bool = false, warn: (String) -> Void
    ) throws(CheckpointError) -> Checkpoint? {
        var hasSetAside = false
        for name in try names(stages: stages).reversed() {
            let file = "\(path)/\(name)"
            do throws(CheckpointError) {
                let checkpoint = try Checkpoint(reading: file, acceptsEdited: acceptsEdited)
                try checkpoint.verify()
                if let warning = checkpoint.warning { warn(warning) }
                if hasSetAside {
                    try CheckpointError.of(try AtomicFile.link("\(self.path)/last.h5", to: name))
                }
                return checkpoint
            } catch .damaged(let path, let what) {
                guard rename(file, "\(file).damaged") == 0 else {
                    throw .file(FileError(writing: "\(file).damaged"))
                }
                hasSetAside = true
                warn("\(path) \(what); set aside as \(name).damaged, trying the one before")
            }
        }
        return nil
    }

    /// Deletes the oldest checkpoints beyond `keep`, never the last or best one nor the newest of
    /// a stage.
    public func prune(keep: Int, stages: [String]) throws(CheckpointError) {
        let names = try names(stages: stages)
        let best = try target(of: "best.h5", among: names + averagedNames())
        try pruneAveraged(keeping: best)
        let links = [try target(of: "last.h5", among: names), best]
        let newest = stages.compactMap { stage in names.last { $0.hasPrefix("\(stage)-") } }
        let candidates = names.filter { !links.contains($0) && !newest.contains($0) }
        for name in candidates.dropLast(max(0, keep - 1)) {
            try CheckpointError.of(try AtomicFile.remove("\(path)/\(name)"))
        }
    }

    /// What a link names; nil where there is none, or a copy in its place.
    ///
    /// - Parameter names: What a hard link may be.
    private func target(
        of link: String, among names: [String]
    ) throws(CheckpointError) -> String? {
        var name = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = name.withUnsafeMutableBufferPointer { buffer in
            buffer.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { readlink("\(path)/\(link)", $0, text.count) } ?? -1
            }
        }
        if count >= 0 { return String(decoding: name.prefix(count), as: UTF8.self) }
        if errno == EINVAL {
            return names.first { AtomicFile.isSame("\(path)/\($0)", "\(path)/\(link)") }
        }
        if errno == ENOENT { return nil }
        throw .inputOutput(path: "\(path)/\(link)", reason: String(cString: strerror(errno)))
    }
}
