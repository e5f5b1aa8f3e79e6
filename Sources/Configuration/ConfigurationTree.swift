import Foundation
import Yams

/// A tree of settings: the defaults of the program's own types, over which files and `--set` lay
/// their values.
///
/// The defaults are the schema: a key that they lack, or a value of another kind, is an error that
/// names the key, the place and the nearest key that exists.
public struct ConfigurationTree {
    private var root: Node
    /// The values that a key may have, by dotted path, where they are a few words; one in braces,
    /// such as `{name: number}`, stands for a group of numbers by names that are not known here.
    private let choices: [String: [String]]
    /// The dotted paths that files and `--set` have named.
    private var given: Set<String> = []

    /// Takes the defaults from a value.
    public init(
        defaults: some Encodable, choices: [String: [String]] = [:]
    ) throws(ConfigurationError) {
        do {
            let text = try YAMLEncoder().encode(defaults)
            root = Self.readable(try Yams.compose(yaml: text) ?? Node([:]))
        } catch {
            throw ConfigurationError("the defaults cannot be encoded: \(error)")
        }
        self.choices = choices
    }

    /// The encoder's numbers as a person would write them: 0.9 instead of 9e-1.
    private static func readable(_ node: Node) -> Node {
        switch node {
        case .mapping(let mapping):
            return Node(mapping.map { ($0.key, readable($0.value)) })
        case .sequence(let sequence):
            return Node(sequence.map(readable), .implicit, .flow)
        case .scalar(let scalar):
            guard kind(node) == .number, let value = Double(scalar.string) else { return node }
            return Node("\(value)", Tag(.float))
        case .alias:
            return node
        }
    }

    /// Lays the settings of a YAML (or JSON) text over the tree.
    ///
    /// - Parameters:
    ///   - source: The file's name, for messages.
    ///   - ignoringUnknown: Whether keys that this program does not know are skipped, as in a
    ///     checkpoint that another version wrote.
    public mutating func overlay(
        yaml text: String, source: String, ignoringUnknown: Bool = false
    ) throws(ConfigurationError) {
        let node: Node?
        // A byte-order mark is no part of the text.
        let text =
            text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
        do {
            node = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            // The parser quotes the file's line, which may be the whole file.
            let words = "\(error)".split(separator: "\n").joined(separator: " ")
            let line = words.count > 300 ? "\(words.prefix(300)) …" : words
            throw ConfigurationError("\(source): is not YAML: \(line)")
        } catch {
            throw ConfigurationError("\(source): is not YAML: \(error)")
        }
        guard let node, node.null == nil else { return }
        root = try merged(
            root, node, path: "", source: source, ignoringUnknown: ignoringUnknown)
        given.formUnion(Self.paths(node, path: ""))
    }

    /// Whether a file or `--set` has named the key, and not the defaults alone.
    public func isGiven(_ path: String) -> Bool { given.contains(path) }

    /// Lays one `key.path=value` over the tree, as `--set` gives it.
    public mutating func set(_ assignment: String) throws(ConfigurationError) {
        let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else {
            throw ConfigurationError("--set \(assignment): write key.path=value")
        }
        let value: Node?
        do {
            value = try Yams.compose(yaml: String(parts[1]))
        } catch {
            throw ConfigurationError("--set \(assignment): the value is not YAML")
        }
        var node = value ?? Node("", Tag(.str), .singleQuoted)
        for key in parts[0].split(separator: ".").reversed() {
            node = Node([(Node(String(key)), node)])
        }
        root = try merged(
            root, node, path: "", source: "--set \(assignment)", ignoringUnknown: false)
        given.formUnion(Self.paths(node, path: ""))
    }

    /// The settings as a value of their type.
    public func decode<Value: Decodable>(_ type: Value.Type) throws(ConfigurationError) -> Value {
        do {
            return try YAMLDecoder().decode(type, from: yaml())
        } catch DecodingError.typeMismatch(_, let context), DecodingError.dataCorrupted(let context)
        {
            throw ConfigurationError(
                key: context.codingPath.map(\.stringValue).joined(separator: "."),
                "is out of the range of such numbers, which begin at 0 or end at \(Int.max)")
        } catch {
            throw ConfigurationError("the settings cannot be decoded: \(error)")
        }
    }

    /// All settings, readable.
    public func yaml() throws(ConfigurationError) -> String {
        do {
            return try Yams.serialize(node: root)
        } catch {
            throw ConfigurationError("the settings cannot be written: \(error)")
        }
    }

    /// All settings as one line of JSON.
    public func json() -> String { Self.json(root) }

    /// The settings that have other values than in another tree of the same type.
    public func changes(since other: ConfigurationTree) -> [(key: String, old: String, new: String)]
    {
        Self.changes(root, since: other.root, path: "")
    }

    private static func changes(
        _ new: Node, since old: Node, path: String
    ) -> [(key: String, old: String, new: String)] {
        // Groups of other names, where these are not the program's, are other values.
        guard case .mapping(let mapping) = new, case .mapping(let before) = old,
            mapping.keys.map(\.string) == before.keys.map(\.string)
        else {
            let (old, new) = (json(old), json(new))
            return old == new ? [] : [(path, old, new)]
        }
        return zip(mapping, before).flatMap { new, old in
            changes(
                new.value, since: old.value,
                path: path.isEmpty ? new.key.string ?? "" : "\(path).\(new.key.string ?? "")")
        }
    }

    /// Every setting and its value, by dotted path, in an order that depends on the keys alone.
    public var settings: [(key: String, value: String)] {
        Self.leaves(root, path: "").map { (key: $0.0, value: $0.1) }.sorted { $0.key < $1.key }
    }

    private static func leaves(_ node: Node, path: String) -> [(String, String)] {
        guard case .mapping(let mapping) = node else { return [(path, json(node))] }
        return mapping.flatMap { key, value in
            leaves(value, path: path.isEmpty ? key.string ?? "" : "\(path).\(key.string ?? "")")
        }
    }

    // MARK: - Merging

    private func merged(
        _ known: Node, _ given: Node, path: String, source: String, ignoringUnknown: Bool
    ) throws(ConfigurationError) -> Node {
        let place = given.mark.map { source.hasPrefix("--set") ? source : "\(source):\($0.line)" }
        func wrong(_ expected: String) -> ConfigurationError {
            ConfigurationError(
                key: path.isEmpty ? "the file" : path,
                "must be \(expected), not \(Self.describe(given))", source: place ?? source)
        }
        if let words = choices[path], words.contains(where: { $0.hasPrefix("{") }) {
            return try named(known, given, path: path) { wrong(words.joined(separator: ", ")) }
        }
        switch known {
        case .mapping(let mapping):
            guard case .mapping(let changes) = given else { throw wrong("a group of keys") }
            return try merged(
                mapping, changes, path: path, source: source, ignoringUnknown: ignoringUnknown)
        case .sequence(let sequence):
            guard case .sequence(let elements) = given else { throw wrong("a list") }
            for element in elements {
                if let first = sequence.first, !Self.fits(element, Self.kind(first)) {
                    throw wrong("a list of \(Self.kind(first).plural)")
                }
            }
            guard let first = sequence.first, Self.kind(first) != .text else { return given }
            let kind = Self.kind(first)
            return Node(elements.map { Self.plain($0, as: kind) }, .implicit, .flow)
        case .scalar:
            let kind = Self.kind(known)
            guard case .scalar(let scalar) = given, Self.fits(given, kind) else {
                throw wrong(kind.rawValue)
            }
            if let allowed = choices[path], !allowed.contains(scalar.string) {
                throw wrong("one of \(allowed.joined(separator: ", "))")
            }
            // YAML's word for nothing is no text, unless in quotes; nothing at all is an empty one.
            if kind == .text, given.null != nil, !scalar.string.isEmpty {
                throw wrong("text (in quotes where it is such a word)")
            }
            return Self.plain(given, as: kind)
        case .alias:
            throw wrong("a value")
        }
    }

    private func merged(
        _ known: Node.Mapping, _ given: Node.Mapping, path: String, source: String,
        ignoringUnknown: Bool
    ) throws(ConfigurationError) -> Node {
        var result = known
        let names: [String] = known.keys.compactMap(\.string)
        for (key, value) in given {
            let name = key.string ?? ""
            let full = path.isEmpty ? name : "\(path).\(name)"
            guard let old = known[key] else {
                if ignoringUnknown { continue }
                let place = source.hasPrefix("--set") ? source : "\(source):\(key.mark?.line ?? 1)"
                throw unknown(full, among: names, path: path, source: place)
            }
            result[key] = try merged(
                old, value, path: full, source: source, ignoringUnknown: ignoringUnknown)
        }
        return .mapping(result)
    }

    /// A word, or numbers by name, which join those that are there.
    private func named(
        _ known: Node, _ given: Node, path: String, wrong: () -> ConfigurationError
    ) throws(ConfigurationError) -> Node {
        guard case .mapping(let changes) = given else {
            guard case .scalar(let scalar) = given, let words = choices[path],
                words.contains(scalar.string), !scalar.string.hasPrefix("{")
            else { throw wrong() }
            return Self.plain(given, as: .text)
        }
        var result: [(Node, Node)] = []
        if case .mapping(let mapping) = known { result = mapping.map { ($0.key, $0.value) } }
        for (key, value) in changes {
            guard let name = key.string, Self.fits(value, .number) else {
                throw ConfigurationError(
                    key: "\(path).\(key.string ?? "")",
                    "must be a number, not \(Self.describe(value))")
            }
            result.removeAll { $0.0.string == name }
            // Quoted: a class whose name is a number is no number.
            let quoted = Node(name, Tag(.str), .singleQuoted)
            result.append((quoted, Self.plain(value, as: .number)))
        }
        guard !result.isEmpty else { throw wrong() }
        return Node(result)
    }

    private func unknown(
        _ full: String, among names: [String], path: String, source: String
    ) -> ConfigurationError {
        let all = Self.paths(root, path: "")
        let prefix = path.isEmpty ? "" : "\(path)."
        let siblings: [String] = names.map { prefix + $0 }
        let nearest = (siblings + all).min {
            EditDistance.between($0, full) < EditDistance.between($1, full)
        }
        let hint = nearest.map { "; did you mean \($0)?" } ?? ""
        return ConfigurationError(key: full, "is not a setting\(hint)", source: source)
    }

    private static func paths(_ node: Node, path: String) -> [String] {
        guard case .mapping(let mapping) = node else { return [path] }
        return mapping.flatMap { key, value in
            paths(value, path: path.isEmpty ? key.string ?? "" : "\(path).\(key.string ?? "")")
        }
    }

    /// What was given for a setting or in a list, in the form that is read as the kind that it is
    /// taken for.
    private static func plain(_ node: Node, as kind: Kind) -> Node {
        guard case .scalar(let scalar) = node else { return node }
        switch kind {
        case .text: return Node(scalar.string, Tag(.str), .singleQuoted)
        case .integer: return Node(PlainNumber.integer(scalar.string) ?? scalar.string)
        case .number:
            return Node(PlainNumber.number(scalar.string) ?? scalar.string, Tag(.float), .plain)
        case .truth: return Node(scalar.string)
        }
    }

    // MARK: - Kinds of values

    private enum Kind: String {
        case truth = "true or false"
        case integer = "a whole number"
        case number = "a number"
        case text = "text"

        var plural: String {
            switch self {
            case .truth: "true or false"
            case .integer: "whole numbers"
            case .number: "numbers"
            case .text: "texts"
            }
        }
    }

    private static func kind(_ node: Node) -> Kind {
        let kind = writtenKind(node)
        return kind == .integer && node.tag == Tag(.float) ? .number : kind
    }

    /// The kind of what a person wrote, of which no version of YAML has made anything yet.
    private static func writtenKind(_ node: Node) -> Kind {
        guard case .scalar(let scalar) = node else { return .text }
        if scalar.style == .singleQuoted || scalar.style == .doubleQuoted { return .text }
        if scalar.string == "true" || scalar.string == "false" { return .truth }
        if PlainNumber.integer(scalar.string) != nil { return .integer }
        return PlainNumber.number(scalar.string) == nil ? .text : .number
    }

    private static func fits(_ node: Node, _ kind: Kind) -> Bool {
        guard case .scalar = node else { return false }
        let found = Self.writtenKind(node)
        switch kind {
        case .text: return true
        case .number:
            return found == .integer || found == .number
        case .integer, .truth: return found == kind
        }
    }

    private static func describe(_ node: Node) -> String {
        switch node {
        case .mapping: "a group of keys"
        case .sequence: "a list"
        case .scalar(let scalar):
            // Such as a seed that another program draws from all 64 bits.
            !scalar.string.isEmpty && scalar.string.utf8.allSatisfy { 48...57 ~= $0 }
                && Int(scalar.string) == nil
                ? "\(scalar.string), which is beyond \(Int.max)" : "\"\(scalar.string)\""
        case .alias: "an alias"
        }
    }

    private static func json(_ node: Node) -> String {
        switch node {
        case .mapping(let mapping):
            let members = mapping.map { "\(quoted($0.key.string ?? "")): \(json($0.value))" }
            return "{\(members.joined(separator: ", "))}"
        case .sequence(let sequence):
            return "[\(sequence.map { json($0) }.joined(separator: ", "))]"
        case .scalar(let scalar):
            return kind(node) == .text ? quoted(scalar.string) : scalar.string
        case .alias:
            return "null"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case let control where control.value < 0x20:
                let digits = String(control.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
