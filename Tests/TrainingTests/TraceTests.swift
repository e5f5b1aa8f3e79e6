import Checkpoints
import Foundation
import Models
import SaccaderModel
import Tensors
import TestSupport
import Testing

@testable import Training

/// `trace` against an independent implementation in double precision.
///
/// Activations, losses and statistics to 1e-4, norm-wise, as the fixtures promise to any correct
/// float32 program. For gradients they promise 5e-3 where rounding flips a ReLU; ours stay below
/// 1e-4, so that is what is asked.
@Suite(.serialized) struct TraceTests {
    static let cases = ["residual", "reference"].flatMap { file in
        [
            "inference", "representation", "location", "location-training-norm",
            "location-predicted-class", "joint",
        ].map { (file, $0) }
    }.filter { $0 != ("reference", "representation") }

    @Test(arguments: cases) func agreesWithTheFixture(file: String, name: String) throws {
        try compare(file, name, more: [], threads: 1)
    }

    @Test func agreesForAnyShardsAndThreads() throws {
        try compare("residual", "joint", more: ["stages.joint.shardSize=3"], threads: 2)
    }

    @Test func theClassifierAgreesWithPyTorch() throws {
        try compare("classifier", "classifier", more: [], threads: 2)
        try compare("classifier", "classifier", more: ["stages.classifier.shardSize=4"], threads: 1)
    }

    /// Class weights, label smoothing and a clipped gradient.
    @Test(arguments: [1, 2, 4]) func weightsSmoothingAndClipAreThoseOfPyTorch(shardSize: Int) throws
    {
        try compare(
            "classifier", "classifier-weighted", more: ["stages.classifier.shardSize=\(shardSize)"],
            threads: 2)
    }

    /// The program's own way to the DRAM, whose every case DRAMModelTests judge.
    @Test(arguments: ["inference", "pretrain", "dram"])
    func theDRAMAgreesWithItsFixture(name: String) throws {
        try compare(path: Fixture.dram, name, more: [], threads: 1)
    }

    /// The second network on patches: places and corners exactly, everything else to 1e-4.
    @Test(arguments: [
        "inference", "inference-given", "inference-reference", "glimpse", "glimpse-each",
    ])
    func theClassifierOnGlimpsesAgreesWithItsFixture(name: String) throws {
        try compare("nasnet", name, more: [], threads: 1)
    }

    @Test func theClassifierOnGlimpsesAgreesForOtherShards() throws {
        try compare("nasnet", "glimpse", more: ["stages.glimpse.shardSize=2"], threads: 2)
    }

    /// A step in bfloat16 comes to the same within the eight bits that such numbers have, not to
    /// float32's numbers.
    @Test func aStepIsComputedInTheSettingsPrecision() throws {
        let folder = try TemporaryFolder()
        let logits = try ["float32", "bfloat16"].map { precision in
            let path = folder.path("\(precision).h5")
            try Trace(
                checkpointPath: try Fixture.path("residual"), batchPath: nil,
                overrides: ["precision=\(precision)"], threadCount: 1
            ).write(.stage(.representation), to: path)
            return try HDF5File.open(path).doubles("/trace/representation/logits2d")
        }
        let difference = relativeDifference(logits[1], logits[0])
        let isNarrow = MatrixMultiply.hasFastBFloat16
        #expect(isNarrow ? (1e-3..<0.05).contains(difference) : difference == 0, "\(difference)")
    }

    private func compare(_ file: String, _ name: String, more: [String], threads: Int) throws {
        try compare(path: Fixture.path(file), name, more: more, threads: threads)
    }

    private func compare(path: String, _ name: String, more: [String], threads: Int) throws {
        let fixture = try HDF5File.open(path)
        let root = "/expected/\(name)"
        let objective = try #require(try fixture.text("objective", of: root))
        let list = try #require(try fixture.text("set", of: root))
        let overrides = try JSONDecoder().decode([String].self, from: Data(list.utf8))
        let folder = try TemporaryFolder()
        let kind = try #require(TraceObjective(named: objective))
        try Trace(
            checkpointPath: path, batchPath: nil, overrides: overrides + more,
            threadCount: threads
        ).write(
            kind, takesPlaces: try fixture.text("places", of: root) == "batch",
            to: folder.path("trace.h5"))
        let trace = try HDF5File.open(folder.path("trace.h5"))

        let names = fixture.datasets(under: root)
        #expect(names.count > 3)
        let gradients = names.filter { $0.hasPrefix("gradient/") }
        let gradientNorm = try gradients.flatMap { try fixture.doubles("\(root)/\($0)") }
            .reduce(0) { $0 + $1 * $1 }.squareRoot()
        for name in names where !name.hasPrefix("loss/") && name != "targets" {
            let expected = try fixture.doubles("\(root)/\(name)")
            let found = try trace.doubles("/trace/\(name)")
            #expect(
                try trace.shape(of: "/trace/\(name)") == fixture.shape(of: "\(root)/\(name)"),
                "\(name)")
            if ["cell/locations", "glimpse/locations", "glimpse/corner"].contains(name) {
                #expect(found == expected)
                continue
            }
            // Places already visited carry the mask of −1e5, which hides everything else.
            let kept = expected.indices.filter { name != "cell/logits" || expected[$0] > -5e4 }
            let masked = Set(expected.indices).subtracting(kept)
            #expect(masked.allSatisfy { abs(found[$0] - expected[$0]) < 10 })
            let difference = relativeDifference(
                kept.map { found[$0] }, kept.map { expected[$0] },
                // Some gradients are exactly 0: measured against all together.
                floor: name.hasPrefix("gradient/") ? 1e-6 * gradientNorm : 1e-12)
            #expect(difference < 1e-4, "\(name): \(difference)")
        }
        if names.contains("targets") {
            #expect(
                try trace.doubles("/trace/cell/locations") == fixture.doubles("\(root)/targets"))
        }
        // The policy term is a small difference of large ones: the losses as one vector.
        let losses = names.filter { $0.hasPrefix("loss/") }
        let difference = relativeDifference(
            try losses.flatMap { try trace.doubles("/trace/\($0)") },
            try losses.flatMap { try fixture.doubles("\(root)/\($0)") })
        #expect(losses.isEmpty || difference < 1e-4, "losses: \(difference)")
    }
}
