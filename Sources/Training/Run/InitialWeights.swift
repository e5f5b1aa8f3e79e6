import Checkpoints
import Layers
import StoredModels
import Terminal

/// The numbers that a new run takes from a checkpoint of another one (`--init-from`): every array
/// of equal name and shape, and of the logits those of the classes that have the same name.
///
/// Momentum, step and settings are not taken.
struct InitialWeights {
    private let checkpoint: Checkpoint
    private let paths: Set<String>
    private var path: String { checkpoint.file.path }

    /// What became of a model's arrays.
    struct Report {
        /// How many were taken whole.
        var taken = 0
        /// How many the model has.
        var count = 0
        /// The arrays that have another shape, in words.
        var otherShapes: [String] = []
        /// The arrays that the checkpoint lacks.
        var missing: [String] = []
        /// The checkpoint's logit of each of the model's classes; nil where it has none, or where
        /// there are no logits.
        var logits: [Int?]?
    }

    /// Reads a checkpoint and verifies its checksums.
    ///
    /// - Parameter acceptsEdited: Whether the user has said that arrays were edited.
    init(_ path: String, acceptsEdited: Bool = false) throws(CheckpointError) {
        checkpoint = try Checkpoint(reading: path, acceptsEdited: acceptsEdited)
        try checkpoint.verify()
        paths = Set(checkpoint.file.datasets(under: "/model"))
    }

    /// Overwrites what the checkpoint has of a model's numbers.
    ///
    /// - Parameter classes: What the model's logits stand for.
    func load(into store: ParameterStore, classes: [KnownClass]) throws -> Report {
        var report = Report()
        for parameter in store.layout.parameters {
            try load(
                parameter.path, shape: parameter.shape, classes, into: store.values(parameter),
                &report)
        }
        for statistic in store.layout.statistics {
            try load(
                statistic.path, shape: [statistic.count], classes, into: store.values(statistic),
                &report)
        }
        guard report.taken == 0 else { return report }
        let first = report.otherShapes.first ?? report.missing.first.map { "it has no \($0)" } ?? ""
        throw RequestError(
            "--init-from \(path): none of its arrays fits the model (\(first)); give the "
                + "settings below model that it was trained with, or a checkpoint of this family",
            exitCode: .badData)
    }

    private func load(
        _ name: String, shape: [Int], _ classes: [KnownClass],
        into target: UnsafeMutablePointer<Float>, _ report: inout Report
    ) throws {
        report.count += 1
        guard paths.contains(name) else { return report.missing.append(name) }
        let found = try checkpoint.file.shape(of: "/model/\(name)")
        if name.split(separator: "/").contains("logits"), let count = found.last,
            shape.last == classes.count, found.dropLast() == shape.dropLast()
        {
            let sources = sources(of: classes, among: count)
            let numbers = try checkpoint.finiteFloats("/model/\(name)", shape: found)
            for row in 0..<(numbers.count / count) {
                for (place, source) in sources.enumerated() {
                    guard let source else { continue }
                    target[row * classes.count + place] = numbers[row * count + source]
                }
            }
            report.logits = sources
            if sources.allSatisfy({ $0 != nil }) { report.taken += 1 }
            return
        }
        guard found == shape else {
            return report.otherShapes.append("\(name) is \(found) there and \(shape) here")
        }
        let numbers = try checkpoint.finiteFloats("/model/\(name)", shape: shape)
        target.update(from: numbers, count: numbers.count)
        report.taken += 1
    }

    /// The checkpoint's logit of each class.
    private func sources(of classes: [KnownClass], among count: Int) -> [Int?] {
        guard let stored = checkpoint.header.classes, stored.count == count else {
            // Of an earlier program: as many logits are taken for those of the same classes.
            return classes.indices.map { classes.count == count ? $0 : nil }
        }
        let places = Dictionary(
            stored.enumerated().filter { !$1.name.isEmpty }.map { ($1.name, $0) },
            uniquingKeysWith: { $1 })
        return classes.map { places[$0.name] }
    }

    /// What was taken and what was not, a line each.
    func lines(_ report: Report, classes: [KnownClass]) -> [String] {
        var lines = ["--init-from \(path): \(report.taken) of \(report.count) arrays taken whole"]
        if let logits = report.logits {
            func names(_ isTaken: Bool) -> [String] {
                zip(classes, logits).filter { !$0.name.isEmpty && ($1 != nil) == isTaken }
                    .map(\.0.name)
            }
            let (kept, anew) = (names(true), names(false))
            let unnamed = checkpoint.header.classes == nil
            lines.append(
                "logits: "
                    + [
                        kept.isEmpty ? "" : "kept for \(Self.count(kept)) \(Self.list(kept))",
                        anew.isEmpty
                            ? "" : "begun anew for \(Self.count(anew)) \(Self.list(anew))",
                    ].filter { !$0.isEmpty }.joined(separator: ", ")
                    + (unnamed && !kept.isEmpty
                        ? "; the checkpoint is of an earlier program and holds no names: taken in order"
                        : ""))
        }
        if !report.otherShapes.isEmpty {
            lines.append("not taken, of other shape: \(Self.list(report.otherShapes))")
        }
        if !report.missing.isEmpty {
            lines.append("not in it, begun anew: \(Self.list(report.missing))")
        }
        return lines
    }

    private static func count(_ names: [String]) -> String {
        names.count == 1 ? "1 class" : "\(names.count) classes"
    }

    private static func list(_ names: [String]) -> String {
        let more = names.count - 10
        return "(\(names.prefix(10).joined(separator: ", "))"
            + (more > 0 ? " and \(more) more)" : ")")
    }
}
