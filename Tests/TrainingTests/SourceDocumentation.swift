import Foundation

/// What the sources' own comments say of properties and of the cases of enumerations.
struct SourceDocumentation {
    /// By type, then by name, in the order of the source.
    private var words: [String: [(name: String, text: String)]] = [:]
    private var enumerations: Set<String> = []

    /// Reads every Swift file below a folder.
    init(folder: String) throws {
        let names = try FileManager.default.subpathsOfDirectory(atPath: folder).sorted()
        for name in names where name.hasSuffix(".swift") {
            read(try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8))
        }
    }

    /// What is said of a property, by its type or by what all settings of its kind have.
    func property(_ name: String, of type: String) -> String? {
        for owner in [type, "StageSettings", "ModelSettings"] {
            if let entry = words[owner]?.first(where: { $0.name == name }) { return entry.text }
        }
        return nil
    }

    /// The words of an enumeration, each with its meaning.
    func choices(of type: String) -> String? {
        guard enumerations.contains(type), let cases = words[type], !cases.isEmpty else {
            return nil
        }
        return cases.map { "`\($0.name)`: \($0.text)" }.joined(separator: " ")
    }

    private mutating func read(_ text: String) {
        // The types around a line, by their indentation.
        var owners: [(name: String, indentation: Int)] = []
        var comment: [String] = []
        for row in text.split(separator: "\n") {
            let line = row.trimmingCharacters(in: .whitespaces)
            if line.isEmpty { continue }
            if line.hasPrefix("///") {
                comment.append(line.dropFirst(3).trimmingCharacters(in: .whitespaces))
                continue
            }
            defer { comment = [] }
            let indentation = row.prefix { $0 == " " }.count
            while let last = owners.last, last.indentation >= indentation { owners.removeLast() }
            var parts = line.split { " :(<{,=".contains($0) }.map(String.init)
            parts.removeAll { ["public", "fileprivate", "private", "package"].contains($0) }
            guard parts.count > 1 else { continue }
            let (kind, name) = (parts[0], parts[1])
            if ["struct", "enum", "protocol", "class", "extension"].contains(kind) {
                owners.append((name, indentation))
                if kind == "enum" { enumerations.insert(name) }
            } else if let owner = owners.last, owner.indentation + 4 == indentation,
                !comment.isEmpty, kind == (enumerations.contains(owner.name) ? "case" : "var")
            {
                words[owner.name, default: []].append((name, Self.sentence(comment)))
            }
        }
    }

    /// A comment as one line of a table.
    private static func sentence(_ comment: [String]) -> String {
        comment.joined(separator: " ").replacing("|", with: "\\|")
    }
}
