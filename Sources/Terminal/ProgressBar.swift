import Foundation

/// How far a long command has come: one line that rewrites itself on a terminal, a plain line now
/// and then elsewhere.
public final class ProgressBar {
    /// How progress is shown.
    public enum Style: Sendable {
        /// It is not shown at all.
        case quiet
        /// A line every few seconds.
        case lines
        /// A line that rewrites itself.
        case terminal

        /// What fits standard error.
        public static func fitting(isQuiet: Bool) -> Style {
            isQuiet ? .quiet : Screen.columns != nil ? .terminal : .lines
        }

        /// Seconds between two updates.
        var interval: Double { self == .terminal ? 0.1 : 10 }
    }

    private static let widestBar = 24
    /// Seconds until there is a rate.
    private static let firstRate = 0.5
    private let title: String
    private let total: Int
    private let unit: String?
    private let style: Style
    private let start = Date()
    private let startCount: Int
    private var lastShown = Date.distantPast

    /// Starts at `from` of `total` units.
    ///
    /// - Parameter unit: What is counted, for the rate; nil where the details say a better one.
    public init(_ title: String, total: Int, from: Int = 0, unit: String?, style: Style) {
        (self.title, self.total, self.unit, self.style) = (title, total, unit, style)
        startCount = from
    }

    /// Shows that `count` units are done; often called, seldom shown.
    ///
    /// - Parameter details: Anything worth saying besides, evaluated only when shown.
    public func update(_ count: Int, details: @autoclosure () -> String = "") {
        let now = Date()
        guard style != .quiet,
            now.timeIntervalSince(lastShown) >= style.interval || count == total
        else { return }
        lastShown = now
        let part = total > 0 ? Double(count) / Double(total) : 1
        let text = text(count, after: now.timeIntervalSince(start), details: details())
        show(style == .terminal ? "\r\u{1B}[K\(line(part, text))" : line(part, text))
    }

    /// Part, details, rate and time left; a rate of the first moments says nothing.
    func text(_ count: Int, after elapsed: Double, details: String) -> String {
        let part = total > 0 ? Double(count) / Double(total) : 1
        let start = String(format: "%3.0f%% %@", 100 * part, details)
        guard elapsed >= Self.firstRate else { return start }
        let rate = Double(count - startCount) / elapsed
        let rest = rate > 0 ? Double(total - count) / rate : 0
        let speed = unit.map { " \(Self.rounded(rate)) \($0)/s" } ?? ""
        return "\(start)\(speed) ETA \(Self.duration(rest))"
    }

    /// Title, bar and text in one line, which a terminal must not have to wrap.
    private func line(_ part: Double, _ text: String) -> String {
        guard style == .terminal, let columns = Screen.columns else { return "\(title) \(text)" }
        let width = min(Self.widestBar, columns - title.count - text.count - 3)
        guard width > 0 else { return String("\(title) \(text)".prefix(max(0, columns - 1))) }
        let filled = Int(part * Double(width))
        let bar =
            String(repeating: "█", count: filled)
            + String(repeating: "░", count: width - filled)
        return "\(title) \(bar) \(text)"
    }

    /// Two digits of what is below 10.
    private static func rounded(_ rate: Double) -> String {
        String(format: rate < 10 ? "%.2g" : "%.0f", rate)
    }

    /// Ends the line.
    public func finish() {
        if style == .terminal { show("\n") }
    }

    private func show(_ text: String) {
        Console.show(text + (style == .terminal ? "" : "\n"))
    }

    /// Seconds as `m:ss` or `h:mm:ss`.
    public static func duration(_ seconds: Double) -> String {
        let total = Int(seconds.rounded())
        let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
        return hours > 0
            ? String(format: "%d:%02d:%02d", hours, minutes, rest)
            : String(format: "%d:%02d", minutes, rest)
    }
}
