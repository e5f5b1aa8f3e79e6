import EventMessages
import Families
import Foundation
import TestSupport
import Testing

@testable import Training

/// Event files beside `metrics.jsonl`.
@Suite(.serialized) struct EventLogTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Each tag's steps with its values, of words the texts.
    private func values(_ output: String) throws -> [String: [String]] {
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(output)/tensorboard")
            .sorted()
        #expect(!names.isEmpty)
        var values: [String: [String]] = [:]
        for name in names {
            let file = URL(fileURLWithPath: "\(output)/tensorboard/\(name)")
            let events = EventRecord.read(try Data(contentsOf: file)).map(\.event)
            #expect(events.first?.fileVersion == "brain.Event:2")
            #expect(events.dropFirst().first?.sessionLog.status == .start)
            for event in events {
                for value in event.summary.value {
                    let shown: String =
                        switch value.value {
                        case .simpleValue(let number): "\(number)"
                        case .image(let image): "\(image.width)×\(image.height)"
                        case .tensor(let tensor):
                            String(decoding: tensor.stringVal.first ?? Data(), as: UTF8.self)
                        case nil: ""
                        }
                    values[value.tag, default: []].append("\(event.step): \(shown)")
                }
            }
        }
        return values
    }

    private func line(_ stage: String, _ step: Int, _ more: [(String, MetricsValue)])
        -> [(String, MetricsValue)]
    {
        [
            ("time", .number(Double(1000 + step))), ("stage", .text(stage)),
            ("step", .integer(step)),
        ] + more
    }

    private func picture(_ width: Int) -> [EventEncoder.Picture] {
        [EventEncoder.Picture(tag: "dev/glimpses", png: Data([1]), width: width, height: 1)]
    }

    @Test func aResumedRunHasEachStepOnce() throws {
        let metrics = folder.path("metrics.jsonl")
        func open(_ position: Position?) throws -> (MetricsLog, EventLog) {
            let log = try MetricsLog(metrics, resumingAt: position)
            return (
                log,
                try EventLog(
                    folder.path("tensorboard"), metrics: metrics, resumingAt: position,
                    settings: "seed: 0\n")
            )
        }
        let location = try #require(Families.stage(named: "location"))
        func train(_ log: (MetricsLog, EventLog), _ steps: ClosedRange<Int>) throws {
            for step in steps {
                let fields = line("location", step, [("loss", .number(Double(step)))])
                log.0.write(fields)
                try log.1.write(fields)
                guard step % 2 == 0 else { continue }
                let score = line("location", step, [("developmentAccuracy", .number(0.5))])
                log.0.write(score)
                try log.1.write(score)
                try log.1.write(picture(step), at: Position(stage: location, step: step))
            }
        }
        var log = try open(nil)
        for step in 1...3 {
            let fields = line("representation", step, [("loss", .number(0))])
            log.0.write(fields)
            try log.1.write(fields)
        }
        try train(log, 1...6)
        log = try open(Position(stage: location, step: 3))
        try train(log, 4...4)
        let found = try values(folder.path)
        #expect(
            found["train/loss"] == ["1", "2", "3"].map { "\($0): 0.0" }
                + (1...4).map { "\($0 + 3): \($0).0" })
        #expect(found["dev/accuracy"] == ["5: 0.5", "7: 0.5"])
        #expect(found["dev/glimpses"] == ["5: 2×1", "7: 4×1"])
        #expect(found["progress/steps"]?.count == 7)
        #expect(found["progress/stage"] == ["1: representation", "4: location"])
        #expect(found["config"] == ["0:     seed: 0\n    ", "6:     seed: 0\n    "])
    }

    @Test func aRunOfTwoRanksThatGoesOnHasWhatAnUndisturbedOneHas() throws {
        let configuration = try SmallRun.writeConfiguration(folder)
        let data = folder.path("data")
        try SmallData.write(to: data)
        func train(_ output: String, _ more: [String]) throws -> CommandRun {
            try SmallRun.train(
                ranks: 2, configuration: configuration, data: data, output: folder.path(output),
                ["--stages", "location", "--set", "evaluation.everyEpochs=1"] + more)
        }
        #expect(try train("plain", []).messages.isEmpty)
        #expect(try train("whole", ["--tensorboard"]).messages.isEmpty)
        #expect(try train("parts", ["--max-steps", "7"]).messages.isEmpty)
        #expect(try train("parts", ["--tensorboard", "--max-steps", "12"]).status == 0)
        #expect(try train("parts", ["--set", "log.tensorboard=true"]).status == 0)
        // Nobody's numbers change by being watched.
        #expect(
            try SmallRun.metrics(folder.path("plain")) == SmallRun.metrics(folder.path("whole")))
        let (whole, parts) = (try values(folder.path("whole")), try values(folder.path("parts")))
        #expect(whole["train/loss"]?.count == 20)
        for (tag, steps) in whole where tag.hasPrefix("train/") || tag.hasPrefix("progress/") {
            #expect(parts[tag] == steps, "\(tag)")
        }
        func steps(_ values: [String]?) -> [String] {
            values?.map { String($0.prefix { $0 != ":" }) } ?? []
        }
        for tag in ["dev/accuracy", "dev/glimpses", "dev/policy"] {
            #expect(steps(whole[tag]) == ["5", "10", "15", "20"], "\(tag)")
        }
        // Where the first part ended nobody watched, but its figures were written down.
        #expect(steps(parts["dev/accuracy"]) == ["5", "7", "10", "12", "15", "20"])
        #expect(steps(parts["dev/glimpses"]) == ["10", "12", "15", "20"])
        #expect(!FileManager.default.fileExists(atPath: folder.path("plain/tensorboard")))
    }

    @Test func whatCannotBeWrittenEndsNoTraining() throws {
        let configuration = try SmallRun.writeConfiguration(folder)
        let data = folder.path("data")
        try SmallData.write(to: data)
        let output = folder.path("run")
        try FileManager.default.createDirectory(
            atPath: output, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: "\(output)/tensorboard", withDestinationPath: "nowhere/at/all")
        let prometheus = folder.path("nowhere/run.prom")
        let run = try SmallRun.train(
            ranks: 1, configuration: configuration, data: data, output: output,
            [
                "--stages", "representation", "--max-steps", "3", "--tensorboard", "--prometheus",
                prometheus,
            ])
        #expect(run.status == 0)
        let warnings = run.messages.filter { $0.contains("warning: ") }
        #expect(warnings.count == 2, "\(run.errors)")
        #expect(warnings.first?.contains("going on without files for TensorBoard") == true)
        #expect(
            warnings.last?.hasSuffix(
                "--prometheus: \(prometheus): cannot be written: No such file or directory; going on, "
                    + "the file stays as it was") == true)
        // Three steps and a score.
        #expect(try SmallRun.metrics(output).count == 4)
    }
}
