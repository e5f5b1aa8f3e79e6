import Files
import Foundation
import Models
import Terminal

/// The run's latest figures in Prometheus's text format, for node_exporter's textfile collector.
final class PrometheusFile {
    private let path: String
    /// What tells this run's figures from those of other runs on the host.
    private let run: String
    private var stage: Stage?
    /// The numbers of the stage, by the log's keys.
    private var values: [String: Double] = [:]
    /// Seconds since 1970.
    private var time = 0.0

    /// Names the file and the run's output folder.
    init(_ path: String, run: String) {
        self.path = path
        self.run = URL(fileURLWithPath: run).standardizedFileURL.path
    }

    /// Replaces the file by one that has the figures of a line of the log, and the last ones of the
    /// stage that the line has not.
    func write(_ fields: [(String, MetricsValue)]) throws(FileError) {
        guard let position = Position(fields) else { return }
        if position.stage != stage { values = [:] }
        stage = position.stage
        for (key, value) in fields {
            guard let number = value.number else { continue }
            if key == "time" { time = number } else { values[key] = number }
        }
        try AtomicFile.write(path, text: text)
    }

    /// The file.
    var text: String {
        let labels = "{run=\"\(Self.escaped(run))\",stage=\"\(stage?.name ?? "")\"}"
        var families: [(name: String, lines: [String])] = [
            family(
                "saccader_info", "gauge", "The run, with the version of the program.",
                "{run=\"\(Self.escaped(run))\",version=\"\(Program.version)\"} 1"),
            family(
                "saccader_log_timestamp_seconds", "gauge", "When the log's last line was written.",
                "{run=\"\(Self.escaped(run))\"} \(Self.number(time))"),
        ]
        for (key, value) in values {
            guard let quantity = WatchedQuantity(key) else { continue }
            families.append(
                family(
                    quantity.metric, quantity.isCounter ? "counter" : "gauge", quantity.help,
                    "\(labels) \(Self.number(value))"))
        }
        return families.sorted { $0.name < $1.name }.flatMap(\.lines).joined(separator: "\n")
            + "\n"
    }

    private func family(
        _ name: String, _ type: String, _ help: String, _ sample: String
    ) -> (name: String, lines: [String]) {
        (name, ["# HELP \(name) \(help)", "# TYPE \(name) \(type)", name + sample])
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
    }

    /// A label's value.
    private static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "\\", with: "\\\\")
            .replacingOccurrences(of: "\"", with: "\\\"")
            .replacingOccurrences(of: "\n", with: "\\n")
    }
}
