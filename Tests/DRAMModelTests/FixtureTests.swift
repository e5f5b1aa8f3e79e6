import Checkpoints
import Foundation
import Layers
import Models
import Tensors
import TestSupport
import Testing

@testable import DRAMModel

/// Inference and both stages against an independent implementation in double precision
/// (Fixtures/README.md): windows exactly, activations, losses, statistics and gradients to 1e-4,
/// norm-wise.
@Suite(.serialized) struct FixtureTests {
    static let cases = [
        "inference", "inference-longer", "pretrain", "dram", "dram-every-glimpse",
        "dram-stop-between-cells", "dram-stop-after-glimpse", "dram-all-resolutions",
    ]

    @Test(arguments: cases) func agrees(name: String) throws {
        try compare(name, shardSize: 4, threads: 1)
    }

    @Test(arguments: [1, 2, 3]) func agreesForOtherShards(shardSize: Int) throws {
        try compare("dram", shardSize: shardSize, threads: 2)
        try compare("inference", shardSize: shardSize, threads: 2)
    }

    private func compare(_ name: String, shardSize: Int, threads: Int) throws {
        let fixture = try Fixture(name)
        let found = try fixture.run(shardSize: shardSize, threads: threads)
        let names = fixture.file.datasets(under: fixture.root)
        #expect(names.count > 5)
        let gradients = names.filter { $0.hasPrefix("gradient/") }
        let norm = try gradients.flatMap { try fixture.expected($0) }
            .reduce(0) { $0 + $1 * $1 }.squareRoot()
        for name in names where !name.hasPrefix("loss/") {
            let expected = try fixture.expected(name)
            let array = try #require(found[name], "\(name) is missing")
            #expect(try array.shape == fixture.file.shape(of: "\(fixture.root)/\(name)"), "\(name)")
            if name == "dram/window" {
                #expect(array.values == expected)
            } else if name.hasPrefix("gradient/") && expected.allSatisfy({ $0 == 0 }) {
                // Rounding at most, against all gradients together.
                let difference = relativeDifference(array.values, expected, floor: norm)
                #expect(difference < 5e-5, "\(name): \(difference)")
            } else {
                let difference = relativeDifference(array.values, expected)
                #expect(difference < 1e-4, "\(name): \(difference)")
            }
        }
        for name in names where name.hasPrefix("loss/") {
            let expected = try fixture.expected(name)[0]
            let value = try #require(found[name]?.values.first, "\(name) is missing")
            #expect(abs(value - expected) < 1e-4 * abs(expected), "\(name): \(value), \(expected)")
        }
    }
}
