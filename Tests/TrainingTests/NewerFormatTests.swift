import Foundation
import TestSupport
import Testing

/// Checkpoints that another program has written anew, in a format of HDF5 newer than ours.
@Suite(.serialized) struct NewerFormatTests {
    @Test func aCheckpointInTheNewestFormatIsReadAndGoneOnFrom() throws {
        let folder = try TemporaryFolder()
        let (configuration, data) = (
            try SmallRun.writeConfiguration(folder), folder.path("data")
        )
        try SmallData.write(to: data)
        func train(_ output: String, _ more: [String]) throws -> CommandRun {
            try SmallRun.train(
                ranks: 1, configuration: configuration, data: data, output: folder.path(output),
                ["--stages", "representation"] + more)
        }
        #expect(try train("run", ["--max-steps", "3"]).status == 0)
        // A copy to start from, then the run's own.
        let own = "\(folder.path("run"))/checkpoints/representation-00000003.h5"
        let copy = folder.path("newest.h5")
        let repacked = try CommandRun("/usr/bin/env", ["h5repack", "--latest", own, copy])
        try #require(repacked.status == 0, "\(repacked.errors)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: copy))[8] >= 2)
        let inspected = try CommandRun("saccader-dist", ["inspect", copy])
        #expect(inspected.status == 0, "\(inspected.errors)")
        let started = try train("started", ["--max-steps", "5", "--resume", copy])
        #expect(started.status == 0, "\(started.errors)")
        try FileManager.default.removeItem(atPath: own)
        try FileManager.default.copyItem(atPath: copy, toPath: own)
        let resumed = try train("run", ["--max-steps", "5"])
        #expect(resumed.status == 0, "\(resumed.errors)")
        #expect(resumed.messages.count == 1, "\(resumed.errors)")
        #expect(resumed.errors.contains("and its seal is gone; its arrays' checksums hold"))
        #expect(try SmallRun.metrics(folder.path("run")).filter { $0["loss"] != nil }.count == 5)
    }
}
