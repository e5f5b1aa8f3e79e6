import Checkpoints
import Foundation
import TestSupport
import Testing

/// `freeze` in the stages of every family but the Saccader's, as a user gives it.
@Suite(.serialized) final class FreezingTests {
    private let folder: TemporaryFolder
    private let configuration: String
    private let data: String

    init() throws {
        folder = try TemporaryFolder()
        configuration = try SmallRun.writeConfiguration(folder)
        data = folder.path("data")
        try SmallData.write(to: data)
    }

    private func train(
        _ name: String, ranks: Int = 1, _ more: [String]
    ) throws -> CommandRun {
        try SmallRun.train(
            ranks: ranks, configuration: configuration, data: data, output: folder.path(name), more)
    }

    private func arrays(_ name: String) throws -> [String: [Float]] {
        try RewrittenCheckpoint.arrays("\(folder.path(name))/checkpoints/last.h5")
    }

    /// The options of a stage that need a locator, and the locator itself.
    private func options(_ stage: String) throws -> [String] {
        guard stage == "glimpse" else { return [] }
        let run = try train("locator", ["--stages", "representation,location", "--max-steps", "1"])
        #expect(run.status == 0, "\(run.errors)")
        return [
            "data.patchImageSize=80", "glimpse.windowSize=24", "model.nasnet.stemChannels=4",
            "model.nasnet.filters=4", "model.nasnet.cellsPerGroup=1", "stages.glimpse.glimpses=2",
            "stages.glimpse.batchSize=12", "stages.glimpse.shardSize=4",
            "stages.glimpse.epochs=4", "model.nasnet.dropPath=0.3",
            "glimpse.locator=\(folder.path("locator/checkpoints/last.h5"))",
        ].flatMap { ["--set", $0] }
    }

    @Test(arguments: [
        ("classifier", ["classifier/stem", "classifier/group0"], "bfloat16"),
        (
            "classifier",
            ["classifier/stem", "classifier/group0", "classifier/group1", "classifier/norm"],
            "float32"
        ),
        ("dramPretrain", ["dram/glimpse"], "float32"),
        ("dram", ["dram/glimpse/stem", "dram/glimpse/group0/block0"], "bfloat16"),
        ("dram", ["dram/glimpse", "dram/classificationCell", "dram/logits"], "float32"),
        ("dram", ["dram/logits", "dram/emission"], "float32"),
        (
            "glimpse",
            [
                "nasnet/stem", "nasnet/stemCell0", "nasnet/stemCell1", "nasnet/cell0",
                "nasnet/reduction0", "nasnet/cell1", "nasnet/reduction1", "nasnet/cell2",
            ], "bfloat16"
        ),
    ])
    func frozenPartsAreUntouchedBitForBit(
        stage: String, parts: [String], precision: String
    ) throws {
        let own =
            try options(stage) + [
                "--stages", stage, "--set", "precision=\(precision)", "--set",
                "stages.\(stage).ema={decay: 0.5}", "--set", "stages.\(stage).gradientClip=0.5",
                "--set", "model.batchNorm.sync=\(parts.count != 1)",
            ]
        // What training without frozen parts has left is what the parts keep.
        let base = try train("base", own + ["--max-steps", "2"])
        #expect(base.status == 0, "\(base.errors)")
        let freeze =
            own + [
                "--init-from", folder.path("base/checkpoints/last.h5"), "--set",
                "stages.\(stage).freeze=[\(parts.joined(separator: ", "))]",
            ]
        let run = try train("alone", freeze + ["--max-steps", "3"])
        #expect(run.status == 0, "\(run.errors)")
        let (before, after) = (try arrays("base"), try arrays("alone"))
        func isFrozen(_ path: String) -> Bool {
            parts.contains { path.hasPrefix("\($0)/") } || path.hasPrefix("representation/")
        }
        var (kept, changed) = (0, 0)
        for (path, values) in after where path.hasPrefix("/model/") {
            let name = String(path.dropFirst("/model/".count))
            if isFrozen(name) {
                kept += 1
                #expect(values == before[path], "\(path)")
                #expect(values == after["/ema/\(name)"], "\(path)")
                #expect(after["/optimizer/momentum/\(name)"] == nil, "\(path)")
            } else if values != before[path] {
                changed += 1
            }
        }
        #expect(kept > 0 && changed > 0)
        // Without synchronised norms ranks differ, as they ought to.
        guard parts.count != 1 else { return }
        let four = try train("four", ranks: 4, freeze + ["--max-steps", "3"])
        #expect(four.status == 0, "\(four.errors)")
        #expect(try arrays("four") == after)
        _ = try train("parts", ranks: 2, freeze + ["--max-steps", "1"])
        _ = try train("parts", freeze + ["--max-steps", "3"])
        #expect(try arrays("parts") == after)
    }

    @Test func impossibleFreezesAreTold() throws {
        let glimpse = try options("glimpse")
        for (stage, parts, words) in [
            ("classifier", "[clasifier]", "choose from classifier/stem, classifier/group0, "),
            (
                "classifier", "[classifier/group0]",
                "names classifier/group0/block0, but not classifier/stem before it"
            ),
            ("classifier", "[classifier]", "leaves the stage nothing to train"),
            ("dram", "[dram/cell]", "choose from dram/glimpse, dram/glimpse/stem, "),
            ("dram", "[dram/glimpse/norm]", "but not dram/glimpse/stem before it"),
            (
                "dramPretrain", "[dram/glimpse, dram/classificationCell, dram/logits]",
                "leaves the stage nothing to train"
            ),
            ("glimpse", "[nasnet/cell9]", "choose from nasnet/stem, nasnet/stemCell0, "),
            ("glimpse", "[nasnet/logits]", "but not nasnet/stem before it"),
        ] {
            let run = try train(
                "bad",
                (stage == "glimpse" ? glimpse : []) + [
                    "--stages", stage, "--set", "stages.\(stage).freeze=\(parts)",
                ])
            #expect(run.status == 64, "\(run.errors)")
            #expect(
                run.messages.count == 1 && run.errors.contains("stages.\(stage).freeze")
                    && run.errors.contains(words), "\(run.errors)")
        }
    }
}
