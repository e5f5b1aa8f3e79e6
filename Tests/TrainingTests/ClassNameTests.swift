import Checkpoints
import Foundation
import TestSupport
import Testing

/// Classes are matched by name: a folder that sorts elsewhere changes no figure.
@Suite(.serialized) final class ClassNameTests {
    private let folder: TemporaryFolder
    private let configuration: String
    private let data: String
    private let output: String

    init() throws {
        folder = try TemporaryFolder()
        configuration = folder.path("own.yaml")
        try SmallRun.configuration.replacingOccurrences(of: "  classes: 10\n", with: "")
            .write(toFile: configuration, atomically: false, encoding: .utf8)
        (data, output) = (folder.path("data"), folder.path("run"))
        try SmallData.write(to: data)
    }

    private var last: String { "\(output)/checkpoints/last.h5" }

    private func train(
        steps: Int = 2, ranks: Int = 1, data: String? = nil, output: String? = nil,
        _ more: [String] = []
    ) throws -> CommandRun {
        try CommandRun(
            "saccader-dist",
            [
                "train", "--config", configuration, "--set", "data.path=\(data ?? self.data)",
                "--output", output ?? self.output, "--threads", "1", "--stages",
                "representation", "--max-steps", "\(steps)",
            ] + more, ranks: ranks)
    }

    private func evaluate(
        _ checkpoint: String? = nil, data: String? = nil, _ more: [String] = []
    ) throws -> CommandRun {
        try CommandRun(
            "saccader-eval",
            [
                checkpoint ?? last, "--data", data ?? self.data, "--threads", "1", "--glimpses",
                "1", "--quiet",
            ] + more)
    }

    /// The folders of the classes in `val`, in byte order.
    private func classes(_ data: String? = nil) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(data ?? self.data)/val").sorted()
    }

    private func rename(_ old: String, to new: String) throws {
        for subset in ["train", "dev", "val"] {
            let path = "\(data)/\(subset)/"
            guard FileManager.default.fileExists(atPath: path + old) else { continue }
            try FileManager.default.moveItem(atPath: path + old, toPath: path + new)
        }
    }

    @Test func aRenamedFolderIsRefusedEverywhere() throws {
        let run = try train()
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.errors.contains("model.classes is left out: 10, as many as the data has"))
        let settings = try String(contentsOfFile: "\(output)/config.yaml", encoding: .utf8)
        #expect(settings.contains("classes: 10"))
        let figures = try evaluate().output
        #expect(figures.contains("* Acc@1"))
        let first = try #require(try classes().first)
        // Its new name sorts last: every other class's place changes.
        try rename(first, to: "zebra")
        for refused in [
            try evaluate(), try train(steps: 4), try train(steps: 4, ranks: 2),
            try train(output: folder.path("other"), ["--resume", last]),
        ] {
            #expect(refused.status == 65, "\(refused.errors)")
            let line = refused.messages.first { !$0.contains("warning") } ?? ""
            #expect(line.contains("class zebra is unknown to"), "\(refused.errors)")
            #expect(line.contains("--init-from"), "\(line)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path("other/checkpoints")))
        try rename("zebra", to: first)
        #expect(try evaluate().output == figures)
    }

    @Test func anotherOrderIsMapped() throws {
        #expect(try train().status == 0)
        let names = try classes()
        let other = folder.path("other.h5")
        let order = [3, 1, 0, 2, 9, 8, 7, 4, 5, 6]
        try RewrittenCheckpoint.write(last, to: other, order: order) { header in
            header.classes = order.map { KnownClass(names[$0]) }
        }
        let run = try evaluate(other)
        #expect(run.errors.contains("in another order than \(other): matched by name"))
        // Without the table of the classes, which has their order.
        func figures(_ run: CommandRun) -> [Substring] {
            (run.output.components(separatedBy: "\nwhere it fails").first ?? "")
                .split(separator: "\n").filter { !$0.contains(".h5") }
        }
        #expect(figures(run) == figures(try evaluate()) && figures(run).count > 3)
    }

    @Test func predictionsHaveWords() throws {
        #expect(try train().status == 0)
        let words = folder.path("words.h5")
        let names = try classes()
        try RewrittenCheckpoint.write(last, to: words) { header in
            header.classes = names.map { KnownClass($0, words: "pair \($0), two digits") }
        }
        let run = try CommandRun(
            "saccader-eval", ["predict", words, "\(data)/val", "--top", "10", "--quiet"])
        #expect(run.status == 0, "\(run.errors)")
        let lines = run.output.split(separator: "\n")
        #expect(lines.count == 10)
        for line in lines {
            #expect(names.allSatisfy { line.contains("pair \($0) ") }, "\(line)")
        }
    }

    /// The label and the prediction of each image.
    private func predictions(
        _ name: String, data: String? = nil, _ more: [String] = []
    ) throws -> (run: CommandRun, rows: [(label: Int, predicted: Int)]) {
        let output = folder.path(name)
        let run = try evaluate(
            data: data, ["--policies", "center", "--pictures", "0", "--output", output] + more)
        #expect(run.status == 0, "\(run.errors)")
        let text = try String(contentsOfFile: "\(output)/predictions.csv", encoding: .utf8)
        return (
            run,
            text.split(separator: "\n").dropFirst().map { line in
                let cells = line.split(separator: ",", omittingEmptySubsequences: false)
                return (Int(cells[3]) ?? -1, Int(cells[5]) ?? -1)
            }
        )
    }

    @Test func aPartOfTheClassesIsEnough() throws {
        #expect(try train().status == 0)
        let wrong = try predictions("whole").rows.filter { $0.label != $0.predicted }
        // Three classes, without the one that an image of the first is taken for.
        let taken = try #require(wrong.first).predicted
        let kept = wrong.map(\.label).filter { $0 != taken }.prefix(3)
        #expect(kept.count == 3)
        let (part, names) = (folder.path("part"), try classes())
        for name in kept.map({ names[$0] }) {
            try FileManager.default.createDirectory(
                atPath: "\(part)/val", withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: "\(data)/val/\(name)", toPath: "\(part)/val/\(name)")
        }
        let all = try predictions("all", data: part)
        #expect(
            all.run.errors.components(separatedBy: "lacks 7 of the model's classes").count == 2)
        #expect(all.rows.map(\.label) == kept.sorted())
        #expect(all.rows.first?.predicted == taken)
        let restricted = try predictions("restricted", data: part, ["--restrict-classes"])
        #expect(restricted.run.errors.contains("compared among the 3 classes"))
        #expect(restricted.rows.map(\.label) == kept.sorted())
        #expect(restricted.rows.allSatisfy { kept.contains($0.predicted) })
    }

    @Test func numbersOfFoldersAreLabelsOfSynsets() throws {
        #expect(try train().status == 0)
        let figures = try evaluate().output.split(separator: "\n").last
        let synsets = folder.path("synsets.h5")
        try RewrittenCheckpoint.write(last, to: synsets) { header in
            header.classes = (0..<10).map { KnownClass("n0144077\($0)") }
        }
        #expect(try evaluate(synsets).status == 65)
        for (number, name) in try classes().enumerated() { try rename(name, to: "\(number)") }
        // The model itself has no class of such a name.
        #expect(try evaluate().status == 65)
        let run = try evaluate(synsets)
        #expect(run.status == 0, "\(run.errors)")
        #expect(
            run.errors.contains("folders 0…9 are taken as label numbers of the model's 10 synsets"))
        #expect(run.output.split(separator: "\n").last == figures)
    }

    @Test func checkpointsOfBeforeAreReadWithOneWarning() throws {
        #expect(try train().status == 0)
        let figures = try evaluate().output.split(separator: "\n").last
        let old = folder.path("old.h5")
        try RewrittenCheckpoint.write(last, to: old) { header in
            (header.classes, header.images, header.epochSamples) = (nil, nil, nil)
        }
        let run = try evaluate(old)
        #expect(run.output.split(separator: "\n").last == figures)
        #expect(run.errors.components(separatedBy: "holds no names of classes").count == 2)
        let resumed = try train(
            steps: 3, output: folder.path("new"), ["--resume", old, "--quiet"])
        #expect(resumed.status == 0 && resumed.messages.count == 1, "\(resumed.errors)")
        #expect(resumed.messages[0].contains("holds no names of classes"))
        let header = try Checkpoint(reading: folder.path("new/checkpoints/last.h5")).header
        #expect(header.classes?.map(\.name) == (try classes()))
    }

    @Test func fewerClassesThanLogitsAreJudgedAlike() throws {
        let run = try train(["--set", "model.classes=13", "--quiet"])
        #expect(run.status == 0 && run.messages.count == 1, "\(run.errors)")
        #expect(run.messages[0].contains("3 logits stand for none"))
        #expect(try evaluate().status == 0)
        #expect(try train(steps: 3).status == 0)
        let inspected = try CommandRun("saccader-dist", ["inspect", last]).output
        #expect(inspected.contains("13, 3 without a name"))
        for (number, name) in try classes().enumerated() {
            #expect(
                inspected.contains(
                    "class \(number)".padding(toLength: 17, withPad: " ", startingAt: 0) + name))
        }
        let json = try CommandRun("saccader-dist", ["inspect", last, "--json"]).output
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        #expect((object?["classes"] as? [[String: String]])?.count == 13)
        let other = try train(steps: 4, ["--set", "model.classes=10"])
        #expect(other.status == 64 && other.errors.contains("leave it out"), "\(other.errors)")
    }
}
