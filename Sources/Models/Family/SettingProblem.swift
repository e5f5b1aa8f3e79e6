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
        first(counts.map { ($0.key, [$0.value], $0.range) })
    }

    /// The first of some lists of counts of which one lies outside the list's range.
    public static func first(
        _ lists: [(key: String, values: [Int], range: ClosedRange<Int>)]
    ) -> SettingProblem? {
        for (key, values, range) in lists {
            for value in values where !range.contains(value) {
                return SettingProblem(
                    key,
                    value < range.lowerBound
                        ? "is \(value): give a number of at least \(range.lowerBound)"
                        : "is \(value): give a number of at most \(range.upperBound)")
            }
        }
        return nil
    }

    /// A network's lists of one number for each of its 1 to 16 groups, where they do not fit.
    ///
    /// - Parameter prefix: Before the lists' keys, with a dot.
    public static func ofGroups(
        _ lists: KeyValuePairs<String, [Int]>, planes: [Int], below prefix: String = ""
    ) -> SettingProblem? {
        for (name, list) in lists where list.count != planes.count {
            return SettingProblem(
                prefix + name,
                "has \(list.count) numbers, but planes has \(planes.count): give one per group")
        }
        if (1...16).contains(planes.count) { return nil }
        return SettingProblem(prefix + "planes", "has \(planes.count) numbers: give 1 to 16")
    }

    /// The first of some amounts that is less than 0.
    public static func firstNegative(_ amounts: [(key: String, value: Double)]) -> SettingProblem? {
        for (key, value) in amounts where value < 0 {
            return SettingProblem(key, "is \(value): give a number of at least 0")
        }
        return nil
    }
}
