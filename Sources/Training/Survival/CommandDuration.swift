import Configuration

/// A duration on the command line, as people and schedulers write it.
public enum CommandDuration {
    /// Seconds of `90`, `30s`, `45m`, `2h`, `1d`, `MM:SS`, `HH:MM:SS`, or as Slurm has them
    /// with days: `D-HH`, `D-HH:MM` or `D-HH:MM:SS`.
    ///
    /// - Parameter option: Whose value it is, for the error.
    public static func seconds(_ text: String, option: String) throws(ConfigurationError) -> Double
    {
        guard let seconds = parse(text), seconds > 0 else {
            throw ConfigurationError(
                "\(option): \"\(text)\" is no duration; give seconds, or 45m, 2h, 1-12:00:00")
        }
        return seconds
    }

    private static func parse(_ text: String) -> Double? {
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        if let last = text.last, let unit = units[last] {
            return number(text.dropLast()).map { $0 * unit }
        }
        let dayAndTime = text.split(separator: "-", omittingEmptySubsequences: false)
        guard dayAndTime.count <= 2, let time = dayAndTime.last else { return nil }
        var days = 0.0
        if dayAndTime.count == 2 {
            guard let first = number(dayAndTime[0]) else { return nil }
            days = first
        }
        let parts = time.split(separator: ":", omittingEmptySubsequences: false).map { number($0) }
        guard parts.count <= 3 else { return nil }
        var seconds = 0.0
        for part in parts {
            guard let part else { return nil }
            seconds = seconds * 60 + part
        }
        // After days the first number is hours, however many follow.
        if dayAndTime.count == 2 {
            for _ in parts.count..<3 { seconds *= 60 }
        }
        return days * 86_400 + seconds
    }

    private static func number(_ text: Substring) -> Double? {
        text.allSatisfy { $0.isNumber || $0 == "." } ? Double(text) : nil
    }
}
