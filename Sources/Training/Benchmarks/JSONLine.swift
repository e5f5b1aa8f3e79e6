import Terminal

/// One JSON object on one line, its members in the order given.
struct JSONLine {
    private var members: [String] = []

    mutating func add(_ name: String, _ text: String) { add(name, json: JSONText.string(text)) }
    mutating func add(_ name: String, _ count: Int) { add(name, json: "\(count)") }
    mutating func add(_ name: String, _ number: Double) {
        add(name, json: JSONText.number(number, format: "%.6g"))
    }
    mutating func add(_ name: String, objects: [JSONLine]) {
        add(name, json: "[\(objects.map(\.text).joined(separator: ", "))]")
    }
    private mutating func add(_ name: String, json: String) {
        members.append("\(JSONText.string(name)): \(json)")
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
