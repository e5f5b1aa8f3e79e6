import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import Training

/// `best.h5` where averaged weights are scored beside the model's.
@Suite struct BestAverageTests {
    private let folder: TemporaryFolder
    private let run: RunFolder
    private let writer: CheckpointWriter

    init() throws {
        folder = try TemporaryFolder()
        run = RunFolder(folder.path("run"), keep: 1)
        try run.create(warn: { _ in })
        writer = CheckpointWriter(run, log: nil, activity: Activity())
    }

    private func header(_ step: Int, _ accuracy: Double, isAverage: Bool) -> CheckpointHeader {
        var header = CheckpointHeader(
            config: "{}", stage: "joint", step: step, epoch: 0, samples: 0, seed: 0, worldSize: 1,
            program: "", developmentAccuracy: accuracy)
        header.average.isModel = isAverage
        return header
    }

    /// Weights of 1 and averages of 2.
    private func save(_ step: Int, weights: Double, average: Double?) throws {
        let (own, other) = ([Float](repeating: 1, count: 3), [Float](repeating: 2, count: 3))
        try own.withUnsafeBufferPointer { own in
            try other.withUnsafeBufferPointer { other in
                try writer.submit(
                    header(step, weights, isAverage: false),
                    arrays: [CheckpointArray("/model/a", shape: [3], values: own)],
                    average: average.map {
                        PendingCheckpoint(
                            header: header(step, $0, isAverage: true),
                            arrays: [CheckpointArray("/model/a", shape: [3], values: other)])
                    })
            }
        }
        try writer.finish()
    }

    private func best() throws -> (step: Int, values: [Float], isAverage: Bool) {
        let checkpoint = try Checkpoint(reading: folder.path("run/checkpoints/best.h5"))
        return (
            checkpoint.header.step, try checkpoint.floats("/model/a", shape: [3]),
            checkpoint.header.average.isModel
        )
    }

    @Test func isTheAverageWhereThatIsBetter() throws {
        try save(1, weights: 0.5, average: 0.6)
        #expect(try best() == (1, [2, 2, 2], true))
        // Neither the weights nor an average that is better than these alone.
        try save(2, weights: 0.4, average: 0.55)
        #expect(try best() == (1, [2, 2, 2], true))
        try save(3, weights: 0.61, average: nil)
        #expect(try best() == (3, [1, 1, 1], false))
        try save(4, weights: 0.61, average: 0.7)
        #expect(try best() == (4, [2, 2, 2], true))
        // A run goes on from the weights, and knows the score to beat.
        let newest = try run.newest(acceptsEdited: false, warn: { _ in })
        #expect(newest?.header.average.isModel == false)
        let again = RunFolder(folder.path("run"), keep: 1)
        try again.recallBest(
            on: ListDigest(count: 1, digest: "a"), warn: { _ in })
        #expect(!again.isBest(header(5, 0.69, isAverage: true)))
        #expect(again.isBest(header(5, 0.7, isAverage: true)))
        let files = try FileManager.default.contentsOfDirectory(
            atPath: folder.path("run/checkpoints")
        ).sorted()
        #expect(
            files == ["best.h5", "joint-00000004-ema.h5", "joint-00000004.h5", "last.h5"],
            "\(files)")
    }
}
