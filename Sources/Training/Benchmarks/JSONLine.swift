import Foundation

/// One JSON object on one line, its members in the order given.
struct JSONLine {
    private var members: [String] = []

    mutating func add(_ name: String, _ text: String) { members.append("\"\(name)\": \"\(text)\"") }
    mutating func add(_ name: String, _ count: Int) { members.append("\"\(name)\": \(count)") }
    mutating func add(_ name: String, _ number: Double) {
        members.append("\"\(name)\": \(String(format: "%.6g", number))")
    }
    mutating func add(_ name: String, objects: [JSONLine]) {
        members.append("\"\(name)\": [\(objects.map(\.text).joined(separator: ", "))]")
    }

    var text: String { "{\(members.joined(separator: ", "))}" }
}

extension [Double] {
    /// The middle element, of an even number the mean of the two; 0 of none.
    var median: Double {
        guard !isEmpty else { return 0 }
        let sorted = sorted()
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
    }
}
