/// A value of a JSON object.
public protocol JSONValue {
    /// The value as JSON.
    var json: String { get }
}

extension String: JSONValue {
    public var json: String { JSONText.string(self) }
}

extension Int: JSONValue {
    public var json: String { "\(self)" }
}

extension Double: JSONValue {
    /// Six digits, as many as a measurement has.
    public var json: String { JSONText.number(self, format: "%.6g") }
}

extension Array: JSONValue where Element == JSONLine {
    public var json: String { "[\(map(\.json).joined(separator: ", "))]" }
}

/// One JSON object on one line, its members in the order given.
public struct JSONLine: JSONValue, ExpressibleByDictionaryLiteral {
    private var members: [String]

    /// Takes members that are all of one kind.
    public init(_ members: [(String, some JSONValue)]) {
        self.members = members.map { "\($0.json): \($1.json)" }
    }

    /// Takes the members; those without a value are left out.
    public init(dictionaryLiteral members: (String, (any JSONValue)?)...) {
        self.members = members.compactMap { name, value in
            value.map { "\(name.json): \($0.json)" }
        }
    }

    /// Both objects' members in one.
    public static func + (first: JSONLine, second: JSONLine) -> JSONLine {
        var line = first
        line.members += second.members
        return line
    }

    public var json: String { "{\(members.joined(separator: ", "))}" }
}
