/// What a scan came upon and did not take: its user is told.
struct PassedOver: Equatable, Sendable {
    /// Why it was not taken.
    enum Reason: String, CaseIterable, Sendable {
        case hidden = "hidden, passed over"
        case noPicture = "no pictures, passed over"
        case outside = "beside train, val and dev, passed over"
        case archive =
            "archives beside unpacked images, passed over (name each as well to take it in)"
        case link = "links that lead to no file in the same place, passed over"
        case special = "pipes or devices, passed over"
        case tested = "test images, passed over, as there are validation images"
        case table = "tables of images and labels, passed over (name one instead of its folder)"
        case unfound = "labelled, but not there"
        case repeated = "given more than once, the last taken"
        case spelling = "spelt otherwise (Unicode) than their class in train, of which they are"
    }

    private var names: [Reason: [String]] = [:]
    /// Names that a line shows.
    static let shownCount = 10

    mutating func add(_ reason: Reason, _ name: String) {
        // The content of one folder comes one after the other.
        if names[reason]?.last == name { return }
        names[reason, default: []].append(name)
    }

    /// What was passed over for a reason.
    subscript(reason: Reason) -> [String] { names[reason] ?? [] }

    mutating func add(_ reason: Reason, _ names: [String]) {
        for name in names { add(reason, name) }
    }

    /// The names for each reason that there is.
    var kinds: [(what: String, names: [String])] {
        Reason.allCases.compactMap { reason in
            names[reason].map { (reason.rawValue, $0) }
        }
    }

    /// A line for each reason that there is.
    var lines: [String] {
        Reason.allCases.compactMap { reason in
            names[reason].map { "\(reason.rawValue): \(Self.list($0))" }
        }
    }

    /// How many, and the first of them.
    static func list(_ names: [String]) -> String {
        let rest = names.count > shownCount ? ", …" : ""
        return "\(names.count) (\(names.prefix(shownCount).joined(separator: ", "))\(rest))"
    }
}
