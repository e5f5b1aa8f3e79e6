import Checkpoints
import Foundation
import TestSupport
import Testing

@testable import Training

@Suite(.serialized) struct CheckpointWriterTests {
    private func header(step: Int) -> CheckpointHeader {
        CheckpointHeader(
            config: "{}", stage: "representation", step: step, epoch: 0, samples: 0, seed: 0,
            worldSize: 1, program: "test")
    }

    @Test func whatIsWrittenIsWhatWasThereWhenItWasSubmitted() throws {
        let folder = try TemporaryFolder()
        let writer = CheckpointWriter(
            RunFolder(folder.path, keep: 2), log: nil, activity: Activity())
        var numbers = [Float](repeating: 1, count: 100_000)
        try numbers.withUnsafeMutableBufferPointer { buffer in
            try writer.submit(
                header(step: 1),
                arrays: [
                    CheckpointArray(
                        "/model/a", shape: [buffer.count], values: UnsafeBufferPointer(buffer))
                ])
            buffer.update(repeating: 2)
        }
        try writer.finish()
        try writer.verifyNewest()
        let path = "\(folder.path)/checkpoints/representation-00000001.h5"
        let read = try Checkpoint(reading: path).floats("/model/a", shape: [numbers.count])
        #expect(read.allSatisfy { $0 == 1 })
    }

    @Test func aFailureIsToldOnceAndTheOlderCheckpointStays() throws {
        let folder = try TemporaryFolder()
        let writer = CheckpointWriter(
            RunFolder(folder.path, keep: 2), log: nil, activity: Activity())
        let numbers: [Float] = [1, 2, 3]
        func submit(step: Int) throws {
            try numbers.withUnsafeBufferPointer {
                try writer.submit(
                    header(step: step),
                    arrays: [CheckpointArray("/model/a", shape: [3], values: $0)])
            }
        }
        try submit(step: 1)
        try writer.finish()
        // A folder stands where the next file is to come.
        let taken = "\(folder.path)/checkpoints/representation-00000002.h5"
        try FileManager.default.createDirectory(
            atPath: "\(taken)/x", withIntermediateDirectories: true)
        try submit(step: 2)
        #expect(throws: CheckpointError.self) { try writer.finish() }
        #expect(writer.takeFailure() == nil)
        try writer.verifyNewest()
        let last = try Checkpoint(reading: "\(folder.path)/checkpoints/last.h5")
        #expect(last.header.step == 1)
        try submit(step: 3)
        try writer.finish()
    }
}
