import Checkpoints
import Files
import Foundation
import TestSupport
import Testing

@testable import Training

/// The log on a disk that takes nothing for a while.
@Suite(.serialized) final class MetricsLogTests {
    private let folder: TemporaryFolder
    private let path: String
    private var descriptor: Int32?

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path("metrics.jsonl")
    }

    private func line(_ step: Int) -> [(String, MetricsValue)] {
        [("stage", .text("joint")), ("step", .integer(step))]
    }

    private var steps: [Int] {
        get throws {
            try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
                .compactMap { Position(metricsLine: $0)?.step }
        }
    }

    /// Puts another file in the place of the one that the log has open.
    private func replaceDisk(by other: String) throws {
        let log = try descriptor ?? find()
        descriptor = log
        let disk = open(other, O_WRONLY)
        #expect(disk >= 0 && dup2(disk, log) == log)
        close(disk)
    }

    private func find() throws -> Int32 {
        let real = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        let name = names.first {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))
                == real
        }
        return try #require(name.flatMap { Int32($0) })
    }

    @Test func linesThatTheDiskDidNotTakeAreToldOfOnceAndWrittenLater() throws {
        let log = try MetricsLog(path, resumingAt: nil)
        log.write(line(1))
        try replaceDisk(by: "/dev/full")
        log.write(line(2))
        log.synchronize()
        log.write(line(3))
        #expect(log.takeFailure() == FileError(path: path, reason: "No space left on device"))
        log.synchronize()
        #expect(log.takeFailure() == nil)
        #expect(throws: FileError.self) { try log.finish() }
        #expect(try steps == [1])
        try replaceDisk(by: path)
        try log.finish()
        #expect(try steps == [1, 2, 3])
    }

    /// What could not be flushed may be lost, though it was written: it is written once more.
    @Test func linesThatCouldNotBeFlushedAreWrittenAgain() throws {
        let log = try MetricsLog(path, resumingAt: nil)
        log.write(line(1))
        log.synchronize()
        log.write(line(2))
        // It takes every write and can flush nothing.
        try replaceDisk(by: "/dev/null")
        log.synchronize()
        #expect(log.takeFailure() == FileError(path: path, reason: "Invalid argument"))
        log.write(line(3))
        log.synchronize()
        #expect(log.takeFailure() == nil)
        // The system has lost the line.
        truncate(path, try String(contentsOfFile: path, encoding: .utf8).utf8.count / 2)
        #expect(try steps == [1])
        try replaceDisk(by: path)
        try log.finish()
        #expect(try steps == [1, 2, 3])
    }

    @Test func aCheckpointIsWrittenThoughTheLogCannotBe() throws {
        let log = try MetricsLog(path, resumingAt: nil)
        let writer = CheckpointWriter(
            RunFolder(folder.path, keep: 2), log: log, activity: Activity())
        try replaceDisk(by: "/dev/full")
        log.write(line(7))
        let numbers: [Float] = [1, 2, 3]
        try numbers.withUnsafeBufferPointer {
            try writer.submit(
                CheckpointHeader(
                    config: "{}", stage: "joint", step: 7, epoch: 0, samples: 0, seed: 0,
                    worldSize: 1, program: "test"),
                arrays: [CheckpointArray("/model/a", shape: [3], values: $0)])
        }
        try writer.finish()
        try writer.verifyNewest()
        #expect(writer.takeFailure() == nil)
        #expect(log.takeFailure() != nil)
    }

    @Test func linesThatAreMissingAtTheCheckpointAreToldOf() throws {
        let file = folder.path("c.h5")
        let numbers: [Float] = [1]
        try numbers.withUnsafeBufferPointer {
            try Checkpoint.write(
                to: file,
                header: CheckpointHeader(
                    config: "{\"log\": {\"everySteps\": 10}}", stage: "location", step: 45,
                    epoch: 0, samples: 0, seed: 0, worldSize: 1, program: "test"),
                arrays: [CheckpointArray("/model/a", shape: [1], values: $0)])
        }
        let point = try ResumePoint(Checkpoint(reading: file))
        func warning(_ stage: Position?) throws -> String? { try point.warning(ofLogTo: stage) }
        #expect(try warning(Position(stage: .location, step: 40)) == nil)
        #expect(try warning(Position(stage: .location, step: 45)) == nil)
        let gap = try warning(Position(stage: .location, step: 30))
        #expect(
            gap?.hasPrefix(
                "metrics.jsonl ends at step 30 of stage location: its lines up to step 40 of ")
                == true)
        #expect(try warning(Position(stage: .representation, step: 90)) != nil)
        #expect(try warning(nil)?.hasPrefix("metrics.jsonl is empty: ") == true)
    }

    /// Deleted, or with another file in its place: all lines are there again at the next flush.
    @Test func aLogThatIsTakenAwayIsWrittenAnew() throws {
        let log = try MetricsLog(path, resumingAt: nil)
        log.write(line(1))
        unlink(path)
        log.write(line(2))
        log.synchronize()
        #expect(try steps == [1, 2])
        try "mine".write(toFile: path, atomically: true, encoding: .utf8)
        log.write(line(3))
        try log.finish()
        #expect(try steps == [1, 2, 3])
        #expect(
            try String(contentsOfFile: folder.path("metrics-1.jsonl"), encoding: .utf8) == "mine")
    }
}
