import Foundation
import TestSupport
import Testing

/// A file system that fails while files are closed, by the library that cluster/faults preloads.
@Suite(.serialized) struct ClosingTests {
    private static let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../cluster/faults/failing.c").path

    /// HDF5 tries to close once more at the end of the process what it could not close, and would
    /// crash there.
    @Test func aFileThatCannotBeClosedEndsNothing() throws {
        let folder = try TemporaryFolder()
        let library = folder.path("failing.so")
        let compiler = try CommandRun(
            "/usr/bin/env", ["clang", "-O1", "-shared", "-fPIC", "-o", library, Self.source])
        try #require(compiler.status == 0, "\(compiler.errors)")
        let configuration = try SmallRun.writeConfiguration(folder)
        try SmallData.write(to: folder.path("data"))
        let output = folder.path("run")
        // As the kernel has it, without links and empty names.
        let real = URL(fileURLWithPath: folder.path).resolvingSymlinksInPath().path + "/run"
        func train(_ steps: Int, failing: Int? = nil) throws -> CommandRun {
            try StartedCommand(
                "saccader-dist",
                [
                    "train", "--config", configuration, "--set", "data.path=\(folder.path("data"))",
                    "--output", output, "--threads", "1", "--quiet", "--stages", "representation",
                    "--max-steps", "\(steps)",
                ], environment: faults(failing)
            ).wait()
        }
        func faults(_ number: Int?) -> [String: String] {
            number.map {
                [
                    "LD_PRELOAD": library, "FAULT_FOLDER": real, "FAULT_AT": "\($0)",
                    "FAULT_STAYS": "1", "FAULT_CLOSES": "1", "FAULT_ERRNO": "5",
                    "FAULT_COUNT": folder.path("count"),
                ]
            } ?? [:]
        }
        #expect(try train(2).status == 0)
        // The first thing that is closed is the checkpoint that was read.
        let inspection = try CommandRun(
            "saccader-dist", ["inspect", "\(output)/checkpoints/last.h5"], environment: faults(1))
        #expect(inspection.status == 0, "\(inspection.errors)")
        #expect(FileManager.default.fileExists(atPath: folder.path("count")))
        // One that writes must say so, and what was there stays whole.
        let run = try train(4, failing: 1)
        #expect([73, 74].contains(run.status), "\(run.status): \(run.errors)")
        #expect(run.messages.count == 1, "\(run.errors)")
        let last = try train(4)
        #expect(last.status == 0, "\(last.errors)")
        #expect(last.messages.isEmpty, "\(last.errors)")
    }
}
