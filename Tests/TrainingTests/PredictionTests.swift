import Checkpoints
import Foundation
import TestSupport
import Testing

/// `saccader-eval predict` as a user starts it, on checkpoints of every family.
@Suite(.serialized) final class PredictionTests {
    private let folder: TemporaryFolder
    private let data: String
    private let configuration: String

    init() throws {
        folder = try TemporaryFolder()
        data = folder.path("data")
        configuration = try SmallRun.writeConfiguration(folder)
        try SmallData.write(to: data)
    }

    private func train(_ stages: String) throws -> String {
        let output = folder.path(stages.replacing(",", with: "-"))
        let run = try SmallRun.train(
            ranks: 1, configuration: configuration, data: data, output: output,
            ["--stages", stages, "--max-steps", "3"])
        try #require(run.status == 0, "\(run.errors)")
        return "\(output)/checkpoints/last.h5"
    }

    private func objects(_ lines: String) throws -> [[String: Any]] {
        try lines.split(separator: "\n").map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
        }
    }

    private func predict(_ arguments: [String]) throws -> CommandRun {
        try CommandRun("saccader-eval", ["predict"] + arguments + ["--quiet"])
    }

    private func problems(_ run: CommandRun) -> [String] {
        run.messages.filter { !$0.contains("warning: ") }
    }

    private struct Table {
        let heads: [String]
        let rows: [[String]]

        init(_ path: String) throws {
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
                .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
            (heads, rows) = (lines[0], Array(lines[1...]))
        }

        func column(_ name: String) throws -> [String] {
            let place = try #require(heads.firstIndex(of: name))
            return rows.map { $0[place] }
        }
    }

    /// For every family: what the evaluation says of the same images, on any threads and batches.
    @Test(arguments: [
        "representation,location,joint", "representation", "dramPretrain,dram",
        "dramPretrain", "classifier",
    ])
    func numbersAreThoseOfTheEvaluation(stages: String) throws {
        let checkpoint = try train(stages)
        let evaluation = folder.path("evaluation")
        let evaluated = try CommandRun(
            "saccader-eval",
            [
                checkpoint, "--data", data, "--quiet", "--json", "--output", evaluation,
                "--pictures", "0",
            ])
        try #require(evaluated.status == 0, "\(evaluated.errors)")
        let report = try objects(evaluated.output)[0]
        let table = try Table("\(evaluation)/predictions.csv")

        let arguments = [checkpoint, "\(data)/val", "--json"]
        let run = try predict(arguments)
        #expect(run.status == 0, "\(run.errors)")
        let pictures = try objects(run.output)
        #expect(pictures.count == 10)
        let best = pictures.compactMap { ($0["predictions"] as? [[String: Any]])?.first }
        #expect(best.map { "\($0["label"] ?? "")" } == (try table.column("predicted")))
        #expect(
            best.compactMap { ($0["probability"] as? NSNumber)?.doubleValue }
                == (try table.column("probability").compactMap(Double.init)))
        #expect(
            pictures.compactMap { $0["file"] as? String }
                == (try table.column("image").map { "\(data)/\($0)" }))

        // Early exit: the same glimpses and the same accuracy.
        let classification = try #require(report["classification"] as? [String: Any])
        if let exits = classification["earlyExit"] as? [[String: Any]] {
            let labels = try table.column("label")
            for confidence in [0.1, 0.2] {
                let exit = try #require(exits.first { $0["confidence"] as? Double == confidence })
                let early = try objects(
                    try predict(arguments + ["--confidence", "\(confidence)"]).output)
                let glimpses = early.compactMap { $0["glimpses"] as? Int }
                let right = zip(early, labels).count { picture, label in
                    let first = (picture["predictions"] as? [[String: Any]])?.first
                    return "\(first?["label"] ?? "")" == label
                }
                #expect(Double(glimpses.reduce(0, +)) / 10 == exit["glimpses"] as? Double)
                #expect(Double(right) / 10 == exit["top1"] as? Double)
                // The likeliest of ten classes has a tenth at least: one glimpse is enough.
                if confidence == 0.1 { #expect(Set(glimpses) == [1]) }
            }
            #expect(pictures.allSatisfy { $0["glimpses"] as? Int ?? 0 > 1 })
        } else {
            let refused = try predict(arguments + ["--confidence", "0.9"])
            #expect(refused.status == 64 && refused.errors.contains("takes no glimpses"))
        }

        for more in [["--threads", "3", "--batch-size", "1"], ["--batch-size", "3"]] {
            #expect(try predict(arguments + more).output == run.output, "\(more)")
        }
    }

    @Test func whatCannotBeReadIsNamedAndTheRestGoesOn() throws {
        let checkpoint = try train("classifier")
        let pictures = folder.path("pictures")
        let manager = FileManager.default
        let images = try manager.subpathsOfDirectory(atPath: "\(data)/val").filter {
            $0.hasSuffix(".JPEG")
        }.sorted()
        try manager.createDirectory(atPath: "\(pictures)/b", withIntermediateDirectories: true)
        try manager.copyItem(atPath: "\(data)/val/\(images[0])", toPath: "\(pictures)/a.JPEG")
        try manager.copyItem(atPath: "\(data)/val/\(images[1])", toPath: "\(pictures)/b/c.JPEG")
        try Data("no picture".utf8).write(to: URL(fileURLWithPath: "\(pictures)/b/a.jpg"))
        try Data("read me".utf8).write(to: URL(fileURLWithPath: "\(pictures)/README"))
        let output = folder.path("predictions")
        let run = try predict([checkpoint, pictures, "--output", output, "--top", "3"])
        #expect(run.status == 65)
        let lines = run.output.split(separator: "\n").map { $0.split(separator: "\t") }
        #expect(lines.map(\.count) == [4, 4])
        #expect(lines.map { $0[0] } == ["\(pictures)/a.JPEG", "\(pictures)/b/c.JPEG"])
        #expect(lines.allSatisfy { $0[1].split(separator: "%").count == 3 })
        #expect(problems(run).count == 2, "\(run.errors)")
        #expect(run.errors.contains("no pictures, passed over: 1 (\(pictures)/README)"))
        #expect(run.errors.contains("\(pictures)/b/a.jpg: not a readable image"))
        #expect(run.errors.contains("1 of 3 pictures cannot be read (named above)"))
        let table = try Table("\(output)/predictions.csv")
        #expect(table.rows.count == 3 && Set(table.rows.map(\.count)) == [3 + 4 * 3 + 2])
        #expect(try table.column("error").map(\.isEmpty) == [true, false, true])
        for name in try table.column("picture") where !name.isEmpty {
            #expect(manager.fileExists(atPath: "\(output)/\(name)"), "\(name)")
        }
        let objects = try objects(
            String(contentsOfFile: "\(output)/predictions.jsonl", encoding: .utf8))
        #expect(objects.map { $0["error"] == nil } == [true, false, true])

        // Another run takes the place of the first; what others wrote stays.
        try Data().write(to: URL(fileURLWithPath: "\(output)/notes.txt"))
        #expect(try predict([checkpoint, "\(pictures)/a.JPEG", "--output", output]).status == 0)
        #expect(
            try manager.contentsOfDirectory(atPath: output).sorted() == [
                ".predictions", "000001-a.glimpses.png", "notes.txt", "predictions.csv",
                "predictions.jsonl",
            ])
        let other = folder.path("other")
        try manager.createDirectory(atPath: other, withIntermediateDirectories: false)
        try Data().write(to: URL(fileURLWithPath: "\(other)/predictions.csv"))
        #expect(try predict([checkpoint, pictures, "--output", other]).status == 73)
    }

    @Test func listsAndPipesNamePictures() throws {
        let checkpoint = try train("representation,location,joint")
        let whole = try predict([checkpoint, "\(data)/val"])
        let program = CommandRun.path("saccader-eval")
        for command in [
            "find \(data)/val -type f | LC_ALL=C sort | \(program) predict \(checkpoint) - --quiet",
            "find \(data)/val -type f -print0 | LC_ALL=C sort -z > list; "
                + "\(program) predict \(checkpoint) list --quiet",
            "cd \(data); find val -type f | LC_ALL=C sort > list; cd /; "
                + "\(program) predict \(checkpoint) \(data)/list --quiet",
        ] {
            let run = try CommandRun("/bin/sh", ["-c", command])
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.output == whole.output, "\(command)")
        }
        let first = try #require(whole.output.split(separator: "\n").first)
        let path = first.prefix { $0 != "\t" }
        let piped = try CommandRun(
            "/bin/sh", ["-c", "cat \(path) | \(program) predict \(checkpoint) - --quiet"])
        #expect(piped.output == "-" + first.dropFirst(path.count) + "\n", "\(piped.errors)")
        // A writer that waits for the answer before it names the next gets it.
        let conversation = """
            mkfifo paths answers; \(program) predict \(checkpoint) - --quiet <paths >answers &
            exec 3>paths 4<answers
            for picture in \(data)/val/*/*; do echo "$picture" >&3; read answer <&4; echo "$answer"; done
            exec 3>&-; wait
            """
        let talk = try CommandRun("/bin/sh", ["-c", "timeout 100 sh -c '\(conversation)'"])
        #expect(talk.output == whole.output, "\(talk.errors)")
    }

    @Test func whatMakesNoSenseIsRefused() throws {
        let checkpoint = try train("representation,location,joint")
        func refused(_ arguments: [String], _ status: Int32, _ word: String) throws {
            let run = try predict(arguments)
            #expect(run.status == status, "\(run.errors)")
            #expect(problems(run).count == 1 && run.errors.contains(word), "\(run.errors)")
            #expect(run.output.isEmpty)
        }
        let pictures = "\(data)/val"
        try refused([checkpoint], 64, "picture|folder|list|-")
        try refused([checkpoint, pictures, "--confidence", "90"], 64, "--confidence is 90.0")
        try refused([checkpoint, pictures, "--glimpses", "0"], 64, "--glimpses is 0")
        try refused([checkpoint, pictures, "--glimpses", "9999"], 64, "more than the")
        try refused([checkpoint, pictures, "--resize", "hole"], 64, "whole")
        try refused([checkpoint, pictures, "--drawn", "3"], 64, "--output")
        try refused([checkpoint, folder.path("no.jpg")], 66, "no.jpg: not found")
        try refused([folder.path("no.h5"), pictures], 66, "no.h5")
        try refused([configuration, pictures], 65, "config.yaml")
        try refused([checkpoint, checkpoint], 65, "neither a picture nor a list")
        let empty = folder.path("empty")
        try FileManager.default.createDirectory(
            atPath: empty, withIntermediateDirectories: false)
        try refused([checkpoint, empty], 66, "holds no pictures")
        try refused([checkpoint, "/dev/null"], 66, "names no pictures")
        #expect(try CommandRun("saccader-eval", ["predict", "--help"]).output.contains("--top"))
    }

    /// Every command that opens a checkpoint takes one that the user has edited, if it is told to.
    @Test func editedCheckpointsAreTakenWhereTheUserSaysSo() throws {
        let edited = folder.path("edited.h5")
        let whole = try Data(contentsOf: URL(fileURLWithPath: train("classifier")))
        // Without its seal, as another program leaves it, and with one number changed.
        var bytes = Data(whole.dropLast(40))
        let kernel = try HDF5File.open(folder.path("classifier/checkpoints/last.h5"))
            .floats("/model/classifier/logits/kernel")
        let place = try #require(
            bytes.range(of: kernel.withUnsafeBytes { Data($0) }))
        bytes[place.lowerBound + 1] ^= 1
        try bytes.write(to: URL(fileURLWithPath: edited))
        let commands: [(String, [String])] = [
            ("saccader-eval", ["predict", edited, "\(data)/val", "--quiet"]),
            ("saccader-eval", [edited, "--data", data, "--quiet"]),
            (
                "saccader-eval",
                [
                    try train("representation,location,joint"), "--data", data, "--occlusion",
                    edited, "--quiet",
                ]
            ),
            (
                "saccader-dist",
                [
                    "train", "--config", configuration, "--set", "data.path=\(data)", "--stages",
                    "classifier", "--max-steps", "1", "--threads", "1", "--output",
                    folder.path("own"), "--init-from", edited,
                ]
            ),
        ]
        for (program, arguments) in commands {
            let refused = try CommandRun(program, arguments)
            #expect(refused.status == 65, "\(arguments): \(refused.errors)")
            #expect(refused.errors.contains("--accept-edited"), "\(refused.errors)")
            let taken = try CommandRun(program, arguments + ["--accept-edited"])
            #expect(taken.status == 0, "\(arguments): \(taken.errors)")
        }
    }
}
