import Foundation

/// Values as JSON has them, for lines that are put together member by member.
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

    /// Text that should be JSON already, from a file; as a string where it is not.
    public static func value(_ text: String) -> String {
        do {
            _ = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
            return text
        } catch {
            return string(text)
        }
    }
}
