import EventMessages
import Files
import Foundation

/// `tensorboard/events.out.tfevents.…`: what `metrics.jsonl` has, pictures, and the settings, as
/// TensorBoard reads them.
///
/// A run that goes on cuts older files where it does and begins a new one, as readers expect: they
/// look at no file again once there is a later one. What the files lack of `metrics.jsonl`, as where
/// an earlier part of the run had none, comes first in the new one.
final class EventLog {
    private let file: AppendedFile
    private var encoder: EventEncoder

    /// Opens the log.
    ///
    /// - Parameters:
    ///   - folder: Made where it is not there.
    ///   - metrics: The path of `metrics.jsonl`, which ends where the run goes on.
    ///   - position: Where that is; nil: at the beginning, and what is in the folder is another
    ///     run's and kept under another name.
    ///   - settings: The configuration as YAML.
    init(
        _ folder: String, metrics: String, resumingAt position: Position?, settings: String
    ) throws {
        if position == nil { _ = try AtomicFile.setAside(folder) }
        try AtomicFile.createFolder(folder)
        try AtomicFile.removeLeftovers(in: folder)
        let old = try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasPrefix(Self.prefix) }.sorted()
        var encoder = EventEncoder()
        var content: [UInt8] = []
        var first = 0
        if let position {
            let lines = FileManager.default.contents(atPath: metrics) ?? Data()
            let events = String(decoding: lines, as: UTF8.self).split(separator: "\n")
                .compactMap(MetricsValue.fields(ofLine:)).compactMap { encoder.event($0) }
            let end = encoder.step(position)
            let known = try old.map { try Self.cut("\(folder)/\($0)", after: end) }.max() ?? 0
            content = try events.filter { $0.step > known }.flatMap(EventRecord.bytes)
            first = Int(known) + 1
        }
        content =
            try EventEncoder.beginning(settings, step: first).flatMap(EventRecord.bytes) + content
        self.encoder = encoder
        // Readers take any file whose name has "tfevents" in it, also one that is not whole yet.
        let path = "\(folder)/\(Self.name(after: old.last))"
        let unnamed = "\(folder)/new"
        try AtomicFile.write(unnamed, data: Data(content))
        guard rename(unnamed, path) == 0 else { throw FileError(writing: path) }
        file = try AppendedFile(path, length: content.count)
    }

    /// Appends what a line of the log says.
    func write(_ fields: [(String, MetricsValue)]) throws {
        guard let event = encoder.event(fields) else { return }
        file.write(try EventRecord.bytes(event))
    }

    /// Appends pictures; where the disk takes nothing they are left out, so that they take no memory.
    func write(_ pictures: [EventEncoder.Picture], at position: Position) throws {
        guard !pictures.isEmpty, !file.isBehind else { return }
        file.write(try EventRecord.bytes(encoder.event(pictures, at: position)))
    }

    /// What went wrong, once until it works again.
    func takeFailure() -> FileError? { file.takeFailure() }

    /// Has all records flushed to the disk.
    func finish() throws(FileError) { try file.finish() }

    private static let prefix = "events.out.tfevents."

    /// A name that comes after another file's in the order in which readers take them.
    private static func name(after other: String?) -> String {
        var seconds = Int(Date().timeIntervalSince1970)
        if let other, let last = Int(other.dropFirst(prefix.count).prefix { $0 != "." }) {
            seconds = max(seconds, last + 1)
        }
        let digits = String(seconds)
        return prefix + String(repeating: "0", count: max(0, 10 - digits.count)) + digits + "."
            + "\(ProcessInfo.processInfo.hostName).\(getpid())"
    }

    /// Drops what a file has of later steps; returns the last step of which it has figures.
    private static func cut(_ path: String, after end: Int) throws -> Int64 {
        let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        let kept = EventRecord.read(data).prefix { $0.event.step <= end }
        let length = kept.last?.end ?? 0
        if length < data.count, truncate(path, off_t(length)) != 0 {
            throw FileError(writing: path)
        }
        return kept.filter { read in
            read.event.summary.value.contains { value in
                if case .simpleValue = value.value { true } else { false }
            }
        }.map(\.event.step).max() ?? 0
    }
}
