import Foundation
import TestSupport
import Testing

/// `saccader-dist plot` on real runs.
@Suite(.serialized) struct PlotCommandTests {
    private let folder: TemporaryFolder
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        data = folder.path("data")
        try SmallData.write(to: data)
        let configuration = try SmallRun.writeConfiguration(folder)
        for (name, steps) in [("first", 3), ("second", 2), ("second", 4)] {
            let run = try SmallRun.train(
                ranks: 1, configuration: configuration, data: data, output: folder.path(name),
                ["--max-steps", "\(steps)"])
            try #require(run.status == 0, "\(run.errors)")
        }
    }

    private func files(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }
            .sorted()
    }

    @Test func runsAreDrawnTogetherAndAlone() throws {
        let (first, second) = (folder.path("first"), folder.path("second"))
        let output = folder.path("curves")
        let run = try CommandRun(
            "saccader-dist", ["plot", first, "resumed=\(second)", "--output", output])
        #expect(run.status == 0 && run.messages.isEmpty, "\(run.errors)")
        let names = ["accuracy", "learningRate", "loss", "reward"].map { "curve-\($0)" }
        let expected = names.flatMap { ["\($0).png", "\($0).svg"] } + ["curves.html"]
        #expect(try files(output) == expected)
        let page = try String(contentsOfFile: "\(output)/curves.html", encoding: .utf8)
        #expect(page.components(separatedBy: "src=\"data:image/svg+xml").count == 1 + 4)
        #expect(!page.contains("http:") && !page.contains("https:") && !page.contains("<script"))
        let rows = run.output.split(separator: "\n").map {
            $0.split(separator: " ", omittingEmptySubsequences: true)
        }
        // Three stages of each run; the second went on with its last one from 2 steps to 4.
        let steps = rows.dropFirst().prefix(6).map { "\($0[0]) \($0[1]) \($0[2])" }
        let stages = ["representation", "location", "joint"]
        #expect(
            steps == stages.map { "first \($0) 3" }
                + zip(stages, [2, 2, 4]).map { "resumed \($0) \($1)" })
        // A run alone: into its own folder, and once more in place of the first time.
        for _ in 0..<2 {
            #expect(
                try CommandRun("saccader-dist", ["plot", "\(first)/metrics.jsonl"]).status == 0)
            #expect(try files("\(first)/curves") == expected)
        }
    }

    @Test func damagedLinesAreToldAndNothingIsNoRun() throws {
        let run = folder.path("first")
        let log = "\(run)/metrics.jsonl"
        var text = try String(contentsOfFile: log, encoding: .utf8)
        text.replaceSubrange(text.startIndex..<text.index(text.startIndex, offsetBy: 5), with: "")
        try text.write(toFile: log, atomically: false, encoding: .utf8)
        let told = try CommandRun("saccader-dist", ["plot", run])
        #expect(told.status == 0 && told.messages.count == 1, "\(told.errors)")
        #expect(told.errors.contains("\(log): a line cannot be read (line 1)"), "\(told.errors)")
        func refused(_ arguments: [String], _ status: Int32, _ word: String) throws {
            let run = try CommandRun("saccader-dist", ["plot"] + arguments)
            #expect(run.status == status && run.errors.contains(word), "\(run.errors)")
            #expect(run.messages.count == 1)
        }
        try refused([folder.path("nowhere")], 66, "no such run")
        try refused([data], 66, "metrics.jsonl: no such file")
        try refused([folder.path("config.yaml")], 65, "holds no line")
        try refused([run, "--smoothing", "1"], 64, "--smoothing")
        let other = folder.path("other")
        try FileManager.default.createDirectory(
            atPath: other, withIntermediateDirectories: false)
        try Data().write(to: URL(fileURLWithPath: "\(other)/curves.html"))
        try refused([run, "--output", other], 73, "curves.html: exists")
    }
}
