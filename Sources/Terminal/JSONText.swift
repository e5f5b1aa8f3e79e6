import Foundation

/// Values as JSON has them.
public enum JSONText {
    /// A text in quotes, whatever is in it.
    public static func string(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.value < 0x20: result += String(format: "\\u%04x", scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// A number; null where it is not finite, which JSON has no word for.
    public static func number(_ value: Double, format: String? = nil) -> String {
        guard value.isFinite else { return "null" }
        return format.map { String(format: $0, value) } ?? "\(value)"
    }

    /// A value with sorted keys.
    public static func of(_ value: some Encodable, isPretty: Bool = false) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// Text that should be JSON already, from a file; a string where it is not.
    public struct Stored: JSONValue {
        public let json: String

        /// Takes the text.
        public init(_ text: String) {
            do {
                _ = try JSONSerialization.jsonObject(
                    with: Data(text.utf8), options: .fragmentsAllowed)
                json = text
            } catch {
                json = string(text)
            }
        }
    }
}
