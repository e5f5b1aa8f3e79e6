import Checkpoints
import Files
import Foundation
import Terminal

/// The curves of one or several training runs.
public struct CurveReport {
    private static let listName = ".curves"
    private static let pageName = "curves.html"

    private let runs: [RunLog]
    private let sheets: [CurveSheet]
    /// What is not as it should be in the logs, a line each.
    public var warnings: [String] { runs.flatMap(\.warnings) }

    /// Reads runs.
    ///
    /// - Parameters:
    ///   - arguments: Each the folder of a run, its log, or `NAME=` and one of them.
    ///   - smoothing: A value's weight falls by this with each later one; nil: by the number of
    ///     points.
    public init(_ arguments: [String], smoothing: Double?) throws(RequestError) {
        var runs: [RunLog] = []
        let named = arguments.map(Self.named)
        let names = Self.distinct(named)
        for (name, run) in zip(names, named) { runs.append(try RunLog(run.path, name: name)) }
        self.runs = runs
        sheets = Quantity.allCases.compactMap { CurveSheet($0, of: runs, weight: smoothing) }
        if sheets.isEmpty {
            throw RequestError(
                "\(runs.map(\.path).joined(separator: " ")): has neither loss, accuracy, reward nor "
                    + "learning rate; give the --output folder of a training run",
                exitCode: .badData)
        }
    }

    private static func named(_ argument: String) -> (name: String?, path: String) {
        // A folder whose name has an equals sign is meant as it stands.
        guard let sign = argument.firstIndex(of: "="), sign > argument.startIndex,
            !FileManager.default.fileExists(atPath: argument)
        else { return (nil, argument) }
        return (String(argument[..<sign]), String(argument[argument.index(after: sign)...]))
    }

    /// The last parts of the paths, as many as tell them apart.
    private static func distinct(_ runs: [(name: String?, path: String)]) -> [String] {
        let parts = runs.map { run in
            var parts = run.path.split(separator: "/").map(String.init)
            if parts.count > 1 && parts.last == "metrics.jsonl" { parts.removeLast() }
            return parts
        }
        let longest = parts.map(\.count).max() ?? 1
        func names(_ count: Int) -> [String] {
            zip(runs, parts).map { $0.name ?? $1.suffix(count).joined(separator: "/") }
        }
        let count = (1...max(1, longest)).first { Set(names($0)).count == runs.count }
        return names(count ?? longest)
    }

    /// Where the curves go unless the user says otherwise: beside the log of a single run.
    public var defaultFolder: String {
        let parent = runs.count == 1 ? runs[0].path.parentFolder : ""
        return parent.isEmpty ? "curves" : "\(parent)/curves"
    }

    /// The table for people: a line for each run and stage.
    public var table: String {
        rows.map { row in
            row.enumerated().map { column, text in
                let width = (rows.map { $0[column].count }.max() ?? 0) + 2
                return column < 2
                    ? text.padding(toLength: width, withPad: " ", startingAt: 0)
                    : EvaluationReport.padded(text, width)
            }.joined()
        }.joined(separator: "\n")
    }

    /// What each run came to in each stage.
    private var rows: [[String]] {
        let heads = [
            "run", "stage", "steps", "epochs", "images", "time", "loss", "accuracy, %",
            "best development, %",
        ]
        // A column that most runs would leave empty stands only where one fills it.
        let averaged = "emaDevelopmentAccuracy"
        let hasAverages = runs.contains { $0.stages.contains { !$0.curve(averaged).isEmpty } }
        return [heads + (hasAverages ? ["averaged, %"] : [])]
            + runs.flatMap { run in
                run.stages.map { stage in
                    func last(_ key: String, _ format: String, _ factor: Double = 1) -> String {
                        stage.curve(key).last.map { String(format: format, factor * $0.y) } ?? "–"
                    }
                    func best(_ key: String) -> String {
                        stage.curve(key).map(\.y).max().map {
                            String(format: "%.1f", 100 * $0)
                        } ?? "–"
                    }
                    let end = stage.points.last
                    return [
                        run.name, stage.name, "\(end?.step ?? 0)",
                        String(format: "%.4g", end?.epoch ?? 0), "\(end?.samples ?? 0)",
                        ProgressBar.duration(stage.seconds), last("loss", "%.4f"),
                        last("accuracy", "%.1f", 100),
                        best("developmentAccuracy"),
                    ] + (hasAverages ? [best(averaged)] : [])
                }
            }
    }

    /// Makes the folder where it is missing, and refuses one in which others' files have the names
    /// of curves.
    public static func prepare(_ folder: String) throws {
        _ = try ResultFolder(folder, for: [pageName], listName: listName)
    }

    /// Writes `curves.html` and each quantity's curves as SVG and PNG; returns the paths.
    public func write(to folder: String) throws -> [String] {
        var files: [ResultFolder.File] = []
        var figures = ""
        for sheet in sheets {
            let svg = try sheet.svg()
            figures += ReportPage.figure(
                svg, type: "svg+xml", title: sheet.title, isTitled: false)
            files.append(ResultFolder.File("\(sheet.quantity.fileName).svg", svg))
            files.append(ResultFolder.File("\(sheet.quantity.fileName).png", try sheet.png()))
        }
        files.insert(ResultFolder.File(Self.pageName, text: page(figures)), at: 0)
        return try ResultFolder(folder, for: [], listName: Self.listName).replace(by: files)
    }

    private func page(_ figures: String) -> String {
        let escaped = ReportPage.escaped
        let title = runs.count == 1 ? "Training of \(runs[0].name)" : "\(runs.count) training runs"
        let cells = rows.map { row in row.map { "<td>\(escaped($0))</td>" }.joined() }
        let head = cells[0].replacing("td>", with: "th>")
        let body = cells.dropFirst().map { "<tr>\($0)</tr>\n" }.joined()
        let notes = warnings.map { "<p class=\"note\">\(escaped($0))</p>\n" }.joined()
        return ReportPage.page(
            title,
            """
            \(figures)
            <h2>Figures</h2>
            <p class="note">Loss and accuracy: of the last logged step of each stage; time: from its
            first logged step to its last.</p>
            <div class="wide"><table><thead><tr>\(head)</tr></thead>
            <tbody>\(body)</tbody></table></div>
            \(notes)
            """)
    }
}
