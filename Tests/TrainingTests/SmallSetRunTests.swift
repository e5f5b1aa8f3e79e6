import Checkpoints
import Foundation
import TestSupport
import Testing

/// Runs with everything that small sets need: all settings at once, on any ranks, stopped and gone on.
@Suite(.serialized) final class SmallSetRunTests {
    private let folder: TemporaryFolder
    private let configuration: String
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        configuration = try SmallRun.writeConfiguration(folder)
        data = folder.path("data")
        try SmallData.write(to: data)
        // Two images of one class, five of each other.
        let rare = "\(data)/train/digits-0-4"
        for name in try FileManager.default.contentsOfDirectory(atPath: rare).sorted().dropLast(2) {
            try FileManager.default.removeItem(atPath: "\(rare)/\(name)")
        }
    }

    private static let named = "{digits-0-1: 3, digits-2-3: 0.5}"

    /// The overrides of a list of stages.
    private static func settings(_ stages: [String]) -> [String] {
        let data = [
            "data.crop.area=[0.3, 1]", "data.flip=both",
            "data.colorJitter={brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1}",
        ]
        let own = stages.flatMap { stage in
            let entropy = [
                "classWeights=\(["joint", "dram", "classifier"].contains(stage) ? named : "auto")",
                "labelSmoothing=0.1",
            ]
            return (stage == "location" ? [] : entropy)
                .map { "stages.\(stage).\($0)" }
                + ["gradientClip=0.5", "ema={decay: 0.9, warmup: 3}"]
                .map { "stages.\(stage).\($0)" }
        }
        return (data + own).flatMap { ["--set", $0] }
    }

    private func train(
        _ name: String, ranks: Int, threads: Int = 1, steps: Int, stages: [String],
        upTo last: String? = nil, _ more: [String] = []
    ) throws -> String {
        let output = folder.path(name)
        let run = try SmallRun.train(
            ranks: ranks, threads: threads, configuration: configuration, data: data,
            output: output,
            ["--max-steps", "\(steps)", "--stages", stages.joined(separator: ",")]
                + Self.settings(stages) + more)
        #expect(run.status == 0, "\(run.errors)")
        return output
    }

    /// All arrays of a checkpoint by path.
    private func arrays(_ output: String, _ stage: String, _ step: Int) throws -> [String: [Float]]
    {
        let file = try HDF5File.open(
            "\(output)/checkpoints/\(CheckpointFolder.name(stage: stage, step: step))")
        var arrays: [String: [Float]] = [:]
        for group in ["/model", "/optimizer", "/ema"] {
            for name in file.datasets(under: group) {
                arrays["\(group)/\(name)"] = try file.floats("\(group)/\(name)")
            }
        }
        return arrays
    }

    private func expectSame(
        _ one: String, _ other: String, _ stages: [String], steps: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for stage in stages {
            let (left, right) = (
                try arrays(one, stage, steps), try arrays(other, stage, steps)
            )
            #expect(left.keys.contains { $0.hasPrefix("/ema/") })
            #expect(left.keys.sorted() == right.keys.sorted(), sourceLocation: sourceLocation)
            for (name, values) in left {
                let isSame = right[name] == values
                #expect(isSame, "\(stage): \(name)", sourceLocation: sourceLocation)
            }
        }
    }

    @Test(arguments: [
        ["representation", "location", "joint"], ["classifier"], ["dramPretrain", "dram"],
    ])
    func theBitsAreThoseOfAnyRanksAndOfARunThatWasStopped(stages: [String]) throws {
        let alone = try train("alone", ranks: 1, steps: 6, stages: stages)
        let metrics = try SmallRun.metrics(alone)
        for (ranks, threads) in [(2, 2), (4, 1)] {
            let other = try train(
                "\(ranks)", ranks: ranks, threads: threads, steps: 6, stages: stages)
            try expectSame(alone, other, stages, steps: 6)
            #expect(try SmallRun.metrics(other) == metrics)
        }
        // In the middle of the last stage, and gone on with other ranks.
        if stages.count > 1 {
            _ = try train("parts", ranks: 4, steps: 6, stages: stages.dropLast())
        }
        _ = try train("parts", ranks: 2, steps: 3, stages: Array(stages.suffix(1)))
        let parts = try train("parts", ranks: 1, steps: 6, stages: stages)
        try expectSame(alone, parts, stages, steps: 6)
        // The average is another model than the weights, and is scored.
        let last = try arrays(alone, stages[stages.count - 1], 6)
        let differing = last.filter { name, values in
            name.hasPrefix("/ema/") && last["/model/\(name.dropFirst(5))"] != values
        }
        #expect(differing.count > 10)
        #expect(metrics.contains { $0["emaDevelopmentAccuracy"] != nil })
    }

    /// What a stage does not train is its own average.
    @Test func theAverageOfFrozenPartsIsTheirNumbers() throws {
        let stages = ["representation", "location"]
        let arrays = try arrays(
            try train("frozen", ranks: 1, steps: 5, stages: stages), "location", 5)
        let frozen = arrays.filter { $0.key.hasPrefix("/ema/representation/") }
        #expect(frozen.count > 10)
        for (name, values) in frozen {
            #expect(arrays["/model/\(name.dropFirst(5))"] == values, "\(name)")
        }
    }

    /// `best.h5` holds what scored best, the weights or their average, in the model's place: its
    /// evaluation comes to that score.
    @Test func bestIsWhatScoredBest() throws {
        let output = try train("best", ranks: 2, steps: 20, stages: ["classifier"])
        let scores = try SmallRun.metrics(output).filter { $0["developmentAccuracy"] != nil }
        #expect(scores.count > 1)
        func better(_ line: [String: Double]) -> Double {
            max(line["developmentAccuracy"] ?? 0, line["emaDevelopmentAccuracy"] ?? 0)
        }
        let best = scores.map(better).max() ?? 0
        // A later score that is as good takes the place of an earlier one.
        let winner = try #require(scores.last { better($0) == best })
        let (own, average) = (
            try #require(winner["developmentAccuracy"]),
            try #require(winner["emaDevelopmentAccuracy"])
        )
        let path = "\(output)/checkpoints/best.h5"
        let header = try Checkpoint(reading: path).header
        #expect(header.step == Int(winner["step"] ?? 0))
        #expect(header.average.isModel == (average > own))
        #expect(abs((header.developmentAccuracy ?? 0) - best) < 1e-9)
        let evaluation = try CommandRun(
            "saccader-eval", [path, "--data", data, "--split", "dev", "--json", "--quiet"])
        let right = Int((best * 21).rounded())
        #expect(evaluation.output.contains("\"top1Count\":\(right),"), "\(evaluation.output)")
    }

    /// What `auto` came to, and the loss and gradient of a step with it.
    @Test func aTraceTakesTheRunsOwnWeights() throws {
        let output = try train("traced", ranks: 1, steps: 2, stages: ["representation"])
        let path = "\(output)/checkpoints/last.h5"
        let weights = try #require(try Checkpoint(reading: path).header.classWeights)
        // N/(C·n) of 47 images in ten classes.
        for (label, weight) in weights.enumerated() {
            #expect(abs(weight - (label == 3 ? 2.35 : 0.94)) < 1e-6)
        }
        let batch = folder.path("batch.h5")
        let labels: [Int32] = [3, 1, 8]
        let file = try HDF5File.create(for: batch)
        try file.write(
            "/batch/images", shape: [3, 64, 64, 3],
            floats: (0..<(3 * 64 * 64 * 3)).map { Float($0 * 7919 % 4001) / 1000 - 2 })
        try file.write("/batch/labels", shape: [3], integers: labels)
        try file.image().write(to: batch)
        func trace(_ more: [String]) throws -> HDF5File {
            let result = folder.path("trace.h5")
            let run = try CommandRun(
                "saccader-dist",
                [
                    "trace", path, "--objective", "representation", "--batch", batch, "--output",
                    result,
                ] + more)
            #expect(run.status == 0, "\(run.errors)")
            return try HDF5File.open(result)
        }
        let result = try trace([])
        let logits = try result.doubles("/trace/prediction")
        var (sum, total) = (0.0, 0.0)
        for (image, label) in labels.enumerated() {
            let row = logits[(image * 10)..<(image * 10 + 10)].map { $0 }
            let logSum = log(row.reduce(0) { $0 + exp($1) })
            for index in 0..<10 { sum += 0.01 * weights[index] * (logSum - row[index]) }
            sum += 0.9 * weights[Int(label)] * (logSum - row[Int(label)])
            total += weights[Int(label)]
        }
        let found = try result.doubles("/trace/loss/crossEntropy")[0]
        #expect(abs(found - sum / total) < 1e-5 * found)
        // The settings clip at 0.5, the trace without them does not.
        func norm(_ file: HDF5File) throws -> Double {
            try file.datasets(under: "/trace/gradient").flatMap {
                try file.doubles("/trace/gradient/\($0)")
            }.reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
        let before = try result.doubles("/trace/gradientNorm")[0]
        #expect(before > 0.5)
        #expect(abs(try norm(result) - 0.5) < 1e-4)
        let free = try trace(["--set", "stages.representation.gradientClip=0"])
        #expect(abs(try norm(free) - before) < 1e-4 * before)
        // In another stage nobody knows how many images there are.
        let other = try CommandRun(
            "saccader-dist",
            [
                "trace", path, "--objective", "joint", "--batch", batch, "--output",
                folder.path("x.h5"), "--set", "stages.joint.classWeights=auto",
            ])
        #expect(other.status == 64 && other.messages.count == 1, "\(other.errors)")
        #expect(other.errors.contains("stages.joint.classWeights is auto, but"))
    }
}
