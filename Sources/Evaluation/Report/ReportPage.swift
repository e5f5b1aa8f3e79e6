import Foundation
import Models

/// The report as one HTML file that needs nothing beside it.
struct ReportPage {
    /// A sheet of images.
    struct Picture {
        let name: String
        let title: String
        let png: Foundation.Data
    }

    /// The images that were looked at: each class's word and how many it has.
    struct Data {
        let classes: [(word: String, count: Int)]
    }

    let report: EvaluationReport
    let order: [Policy]
    let data: Data
    private var plots = ""
    private var pictures = ""
    private var confusions = ""

    /// A page without plots and pictures yet.
    init(_ report: EvaluationReport, order: [Policy], data: Data) {
        (self.report, self.data) = (report, data)
        self.order = order.filter { report.policies[$0.rawValue]?.isEmpty == false }
    }

    /// Shows a plot.
    mutating func add(_ plot: Plot, svg: Foundation.Data) {
        plots += Self.figure(svg, type: "svg+xml", title: plot.title, isTitled: false)
    }

    /// Shows what is taken for what.
    mutating func addConfusions(_ svg: Foundation.Data, title: String) {
        confusions = Self.figure(svg, type: "svg+xml", title: title, isTitled: false)
    }

    /// Shows a sheet.
    mutating func add(_ picture: Picture) {
        pictures += Self.figure(picture.png, type: "png", title: picture.title, isTitled: true)
    }

    /// The whole file.
    var html: String {
        let title =
            "Evaluation of "
            + (report.checkpoints.count > 1
                ? "\(report.checkpoints.count) checkpoints"
                : (report.checkpoint as NSString).lastPathComponent)
        return Self.page(
            title,
            """
            \(summary)
            <h2>Plots</h2>
            <div class="plots">\(plots)</div>
            <p class="note">\(Self.escaped(report.bandNote))</p>
            <h2>Figures</h2>
            \(tables)
            \(diagnosis(confusions))
            \(pictureSection)
            <h2>Where the figures come from</h2>
            \(provenance)
            """)
    }

    /// A whole file.
    ///
    /// - Parameters:
    ///   - title: Plain text.
    ///   - body: What stands below the title.
    static func page(_ title: String, _ body: String) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>\(escaped(title))</title>
        <style>\(style)</style>
        </head>
        <body>
        <h1>\(escaped(title))</h1>
        \(body)
        </body>
        </html>

        """
    }

    private var pictureSection: String {
        if pictures.isEmpty { return "" }
        return """
            <h2>Pictures</h2>
            <p class="note">Numbers are glimpses in order; what no glimpse saw is dimmed; a green \
            frame is a right answer, a red one a wrong answer. On maps of the policy a place is the
            lighter the more probable it is, as part of the largest probability, which stands
            below; the white frame is the window that was taken. Of several checkpoints the first.</p>
            \(pictures)
            """
    }

    static func figure(
        _ content: Foundation.Data, type: String, title: String, isTitled: Bool
    ) -> String {
        let title = escaped(title)
        return "<figure><img alt=\"\(title)\" src=\"data:image/\(type);base64,"
            + content.base64EncodedString() + "\">"
            + (isTitled ? "<figcaption>\(title)</figcaption>" : "") + "</figure>\n"
    }

    /// Text as it stands in HTML, between tags or in an attribute.
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }

    static let style = """
        body{font:15px/1.5 system-ui,"DejaVu Sans",sans-serif;color:#222;max-width:1320px;
        margin:2rem auto;padding:0 1rem}
        h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid #ccc}
        h3{font-size:1rem;margin:1.4rem 0 .3rem}
        .plots{display:flex;flex-wrap:wrap;gap:1rem}.plots figure{flex:1 1 560px;max-width:640px}
        figure{margin:.6rem 0}img{max-width:100%}figcaption{color:#444}
        table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}
        th,td{padding:.15rem .5rem;white-space:nowrap;text-align:right;border-bottom:1px solid #e4e4e4}
        th:first-child,td:first-child{text-align:left}thead th{border-bottom:1px solid #888}
        .best{font-weight:bold}.note{color:#555;font-size:.9rem}.wide{overflow-x:auto}
        .wide td:first-child,.wide th:first-child{position:sticky;left:0;background:#fff}
        .big{font-size:1.2rem}pre{background:#f5f5f5;padding:.8rem;overflow-x:auto;font-size:.8rem}
        @media print{body{margin:0}table{font-size:.5rem}th,td{padding:.1rem .2rem}}
        """
}
