/// What the doctor found of one thing.
public struct Finding: Sendable {
    /// How bad it is.
    public enum Grade: String, Sendable {
        case good = "ok"
        case slow = "note"
        case bad = "BAD"
    }

    let grade: Grade
    let subject: String
    let text: String
    /// What to do; empty where all is well.
    let remedy: String

    init(_ grade: Grade, _ subject: String, _ text: String, remedy: String = "") {
        (self.grade, self.subject, self.text, self.remedy) = (grade, subject, text, remedy)
    }

    /// Whether a run would fail.
    public var isBad: Bool { grade == .bad }

    /// One line.
    public var description: String {
        let head = grade.rawValue.padding(to: 5) + subject.padding(to: 15) + text
        return remedy.isEmpty ? head : "\(head): \(remedy)"
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
