import Foundation
import TestSupport
import Testing

@testable import Evaluation
@testable import StoredModels
@testable import Terminal

/// An evaluation's folder holds one evaluation, and what others wrote stays.
@Suite struct ResultFolderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ names: [String], _ text: String) throws {
        _ = try ResultFolder(folder.path, for: []).replace(
            by: names.map { ResultFolder.File($0, text: text) })
    }

    private func contents() throws -> [String: String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return try Dictionary(
            uniqueKeysWithValues: names.filter { !$0.hasPrefix(".") }.map {
                ($0, try String(contentsOfFile: folder.path($0), encoding: .utf8))
            })
    }

    @Test func anEarlierEvaluationGoesAndNothingElse() throws {
        try write(["report.html", "old.png"], "first")
        try Data("mine".utf8).write(to: URL(fileURLWithPath: folder.path("notes.txt")))
        try write(["report.html", "new.png"], "second")
        #expect(
            try contents() == ["report.html": "second", "new.png": "second", "notes.txt": "mine"])
    }

    @Test func aForeignFileIsLeftAlone() throws {
        try Data("mine".utf8).write(to: URL(fileURLWithPath: folder.path("report.html")))
        for attempt in [
            { _ = try ResultFolder(folder.path, for: ["report.html"]) },
            { try write(["a.csv", "report.html"], "text") },
        ] {
            #expect {
                try attempt()
            } throws: { error in
                (error as? RequestError)?.exitCode == .cannotWrite
                    && "\(error)".hasPrefix("\(folder.path)/report.html: exists")
            }
        }
        #expect(try contents() == ["report.html": "mine"])
    }

    /// Ended in the middle, all files are still known to be an evaluation's.
    @Test func anInterruptedEvaluationIsReplaced() throws {
        try write(["a", "b"], "first")
        try Data("a\nb\nc\n../x\n".utf8).write(
            to: URL(fileURLWithPath: folder.path(ResultFolder.listName)))
        try Data("half".utf8).write(to: URL(fileURLWithPath: folder.path("c")))
        try write(["c"], "second")
        #expect(try contents() == ["c": "second"])
    }

    @Test func twoClassesOfOneWordAreToldApart() {
        let names = ["n02012849", "n03126707", "n01440764", "tench"]
        #expect(
            ClassWords.distinct(["crane", "crane", "tench", "tench"], of: names)
                == ["crane (n02012849)", "crane (n03126707)", "tench (n01440764)", "tench"])
    }
}
