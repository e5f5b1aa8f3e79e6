/// A setting that cannot be used.
public struct SettingProblem: Equatable, Sendable {
    /// The key, dotted.
    public let key: String
    /// What is wrong with it and what to give instead.
    public let message: String

    /// Names the key and what is wrong with it.
    public init(_ key: String, _ message: String) { (self.key, self.message) = (key, message) }

    /// The same below another key.
    public func below(_ parent: String) -> SettingProblem {
        SettingProblem("\(parent).\(key)", message)
    }

    /// The first of some counts that lies outside its range.
    public static func first(
        _ counts: [(key: String, value: Int, range: ClosedRange<Int>)]
    ) -> SettingProblem? {
        for (key, value, range) in counts {
            if let message = CountRange.problem(value, in: range) {
                return SettingProblem(key, message)
            }
        }
        return nil
    }

    /// The first of some amounts that is less than 0.
    public static func firstNegative(_ amounts: [(key: String, value: Double)]) -> SettingProblem? {
        for (key, value) in amounts where value < 0 {
            return SettingProblem(key, "is \(value): give a number of at least 0")
        }
        return nil
    }
}
