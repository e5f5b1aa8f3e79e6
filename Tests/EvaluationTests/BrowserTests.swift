import Foundation
import TestSupport
import Testing

@testable import Evaluation
@testable import SaccaderModel

/// The pages in a real browser, where there is one: cluster/local/look says what it looks for.
@Suite(.serialized) struct BrowserTests {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../cluster/local/look").path
    /// The script's word for a machine without a browser.
    private static let unavailable: Int32 = 69

    /// Whether there is a browser; without one the suite is skipped.
    private static let hasBrowser: Bool = {
        do {
            return try CommandRun(script, []).status != unavailable
        } catch {
            return false
        }
    }()

    private func write(_ plots: [Plot], extra: String, to path: String) throws {
        var html = try ReportTests.page(plots: plots)
        html = html.replacing("<h2>Plots</h2>", with: "<h2>Plots</h2>\(extra)")
        try Data(html.utf8).write(to: URL(fileURLWithPath: path))
    }

    @Test(.enabled(if: hasBrowser, "no chromium: apt-get install chromium"))
    func aReportComesUpWithoutANetwork() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("report.html")
        try write(ReportTests.plots, extra: "", to: path)
        let whole = try CommandRun(Self.script, [path])
        #expect(whole.status == 0, "\(whole.output)")
        #expect(whole.output.contains("1400 pixels wide: 3 images"))
        #expect(whole.output.contains("500 pixels wide: 3 images"))
        // The look finds what it looks for.
        let wrong = """
            <img src="nowhere.png" alt="gone"><script>missing()</script>
            <p style="position:absolute;top:30px;margin:0;width:2000px">over the title</p>
            """
        try write(ReportTests.plots, extra: wrong, to: path)
        let broken = try CommandRun(Self.script, [path])
        #expect(broken.status == 1)
        for word in ["missing: img gone", "Content Security Policy", "missing is not defined"] {
            #expect(broken.output.contains(word), "\(broken.output)")
        }
        #expect(broken.output.contains("BAD wider than the window"))
        #expect(broken.output.contains("BAD overlap: h1"))
    }
}
