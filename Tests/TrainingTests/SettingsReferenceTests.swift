import Foundation
import Testing

struct SettingsReferenceTests {
    private static let project = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// `SETTINGS_REFERENCE=write` writes the article anew.
    @Test func theArticleIsThatOfTheTypes() throws {
        let reference = try SettingsReference(
            sources: SourceDocumentation(folder: "\(Self.project)/Sources"))
        #expect(reference.missing == [])
        let path = "\(Self.project)/Sources/saccader-dist/saccader-dist.docc/AllSettings.md"
        if ProcessInfo.processInfo.environment["SETTINGS_REFERENCE"] == "write" {
            try reference.article.write(toFile: path, atomically: true, encoding: .utf8)
        }
        let article = try String(contentsOfFile: path, encoding: .utf8)
        #expect(
            article == reference.article,
            "SETTINGS_REFERENCE=write swift test --filter SettingsReferenceTests writes it anew")
    }
}
