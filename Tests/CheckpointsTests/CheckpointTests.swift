import Foundation
import TestSupport
import Testing

@testable import Checkpoints

@Suite(.serialized) struct CheckpointTests {
    private let header = CheckpointHeader(
        config: "{\"seed\": 1}", stage: "joint", step: 12, epoch: 2, samples: 99, seed: 1,
        worldSize: 3, program: "test", developmentAccuracy: 0.25)
    private let numbers: [Float] = [1, -2.5, 3e-8, 4, 5, .greatestFiniteMagnitude]

    private func write(_ path: String) throws {
        try numbers.withUnsafeBufferPointer {
            try Checkpoint.write(
                to: path, header: header,
                arrays: [CheckpointArray("/model/a/b", shape: [2, 3], values: $0)])
        }
    }

    @Test func comesBackAsItWas() throws {
        let folder = try TemporaryFolder()
        try write(folder.path("c.h5"))
        let checkpoint = try Checkpoint(reading: folder.path("c.h5"))
        #expect(checkpoint.header == header)
        #expect(try checkpoint.floats("/model/a/b", shape: [2, 3]) == numbers)
        try checkpoint.verify()
        #expect(throws: CheckpointError.self) {
            try checkpoint.floats("/model/a/b", shape: [3, 2])
        }
        #expect(throws: CheckpointError.self) {
            try checkpoint.floats("/model/a/c", shape: [2, 3])
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["c.h5"])
    }

    @Test func everyFlippedByteOfTheNumbersIsNoticed() throws {
        let folder = try TemporaryFolder()
        try write(folder.path("c.h5"))
        let data = try Data(contentsOf: URL(fileURLWithPath: folder.path("c.h5")))
        let bytes = numbers.withUnsafeBytes { Data($0) }
        let place = try #require(data.range(of: bytes))
        for offset in stride(from: 0, to: bytes.count, by: 5) {
            var damaged = data
            damaged[place.lowerBound + offset] ^= 0x10
            try damaged.write(to: URL(fileURLWithPath: folder.path("d.h5")))
            #expect(throws: CheckpointError.self) {
                try Checkpoint(reading: folder.path("d.h5")).verify()
            }
        }
        // Cut short anywhere it is refused, not misread.
        for length in stride(from: 0, to: data.count - 1, by: 997) {
            try data.prefix(length).write(to: URL(fileURLWithPath: folder.path("e.h5")))
            #expect(throws: CheckpointError.self) {
                try Checkpoint(reading: folder.path("e.h5")).verify()
            }
        }
    }

    /// Part of the file format: other programs may verify it.
    @Test func theChecksumIsFNV1aOverWords() {
        let numbers: [Float] = [1, -2.5]
        numbers.withUnsafeBufferPointer { #expect(Checksum.text($0) == "283327010ecb6fed") }
    }

    @Test func missingAndForeignFilesAreNamed() throws {
        let folder = try TemporaryFolder()
        #expect(throws: CheckpointError.missing(path: folder.path("no.h5"))) {
            try Checkpoint(reading: folder.path("no.h5"))
        }
        try Data("hello".utf8).write(to: URL(fileURLWithPath: folder.path("text.h5")))
        #expect(throws: CheckpointError.self) { try Checkpoint(reading: folder.path("text.h5")) }
    }
}
