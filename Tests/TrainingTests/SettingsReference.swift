import Configuration
import Foundation
import Models

@testable import Families
@testable import Training

/// Every setting as an article of the guide: its key, default, words and what its type's documentation says of it.
struct SettingsReference {
    /// One key, or the same key of several stages.
    private struct Row {
        let key: String
        /// The stages that have it; none: it is no stage's.
        var stages: [String] = []
        /// The default as JSON, and the stages whose default it is.
        var defaults: [(value: String, stages: [String])]
        let meaning: String
    }

    private let sources: SourceDocumentation
    private let defaults: [String: String]
    private var rows: [Row] = []
    /// What the article lacks: keys without a property, properties without words.
    private(set) var missing: [String] = []

    init(sources: SourceDocumentation) throws {
        self.sources = sources
        let tree = try RunConfiguration.tree(.defaults, overrides: [])
        // A group without keys of its own, such as one of numbers by name, is a leaf.
        defaults = Dictionary(tree.settings.map { ($0.key, $0.value) }) { first, _ in first }
        add(RunConfiguration(), path: "", stage: nil)
        let found = Set(rows.flatMap { row in Self.paths(row.key, row.stages) })
        missing += defaults.keys.filter { !found.contains($0) }.sorted()
    }

    /// The article.
    var article: String {
        """
        # Every setting

        What `train --config FILE` and `--set KEY=VALUE` take: the keys, their defaults (the paper's, on ImageNet) and
        the words that some take. It is written from the settings' own types: <doc:Contributing> says how. Examples
        and what needs more words: <doc:Settings>.

        | key | default | meaning |
        | --- | --- | --- |
        \(rows.map(Self.line).joined(separator: "\n"))

        """
    }

    private static func paths(_ key: String, _ stages: [String]) -> [String] {
        stages.isEmpty ? [key] : stages.map { "stages.\($0).\(key)" }
    }

    private static func line(_ row: Row) -> String {
        let all = StagesConfiguration.names
        let key =
            switch row.stages.count {
            case 0: row.key
            case 1: "stages.\(row.stages[0]).\(row.key)"
            case all.count: "stages.STAGE.\(row.key)"
            default: "stages.{\(row.stages.joined(separator: ","))}.\(row.key)"
            }
        let defaults = row.defaults.sorted { $0.stages.count > $1.stages.count }
        let words = defaults.enumerated().map { number, entry in
            number == 0
                ? "`\(entry.value)`"
                : "\(entry.stages.joined(separator: ", ")) `\(entry.value)`"
        }
        return "| `\(key)` | \(words.joined(separator: "; ")) | \(row.meaning) |"
    }

    // MARK: - Walking through the types

    private mutating func add(_ value: Any, path: String, stage: String?) {
        let type = "\(Swift.type(of: value))"
        for child in Mirror(reflecting: value).children {
            guard let label = child.label else { continue }
            if label == "values", let stages = child.value as? [String: any StageSettings] {
                for name in StagesConfiguration.names {
                    if let settings = stages[name] { add(settings, path: "", stage: name) }
                }
                continue
            }
            if label == "values", let models = child.value as? [String: any ModelSettings] {
                for family in Families.all {
                    if let settings = models[family.name] {
                        add(settings, path: path, stage: stage)
                    }
                }
                continue
            }
            let key = path.isEmpty ? label : "\(path).\(label)"
            let whole = stage.map { "stages.\($0).\(key)" } ?? key
            if let value = defaults[whole] {
                add(key, whole, value, owner: type, label: label, of: child.value, stage: stage)
            } else if defaults.keys.contains(where: { $0.hasPrefix("\(whole).") })
                || whole == "model" || whole == "stages"
            {
                add(child.value, path: key == "stages" ? "" : key, stage: stage)
            }
        }
    }

    private mutating func add(
        _ key: String, _ whole: String, _ value: String, owner: String, label: String,
        of property: Any, stage: String?
    ) {
        guard let words = sources.property(label, of: owner) else {
            return missing.append("\(owner).\(label) has no words")
        }
        let meaning = sources.choices(of: "\(type(of: property))").map { "\(words) \($0)" } ?? words
        let entry = (value: value, stages: stage.map { [$0] } ?? [])
        let place = rows.firstIndex {
            $0.key == key && $0.meaning == meaning && $0.stages.isEmpty == (stage == nil)
        }
        guard let place else {
            return rows.append(
                Row(key: key, stages: entry.stages, defaults: [entry], meaning: meaning))
        }
        // Families share keys of the model: one row.
        guard let stage else { return }
        rows[place].stages.append(stage)
        if let same = rows[place].defaults.firstIndex(where: { $0.value == value }) {
            rows[place].defaults[same].stages.append(stage)
        } else {
            rows[place].defaults.append(entry)
        }
    }
}

extension StagesConfiguration {
    fileprivate static var names: [String] { Families.stages.map(\.name) }
}
