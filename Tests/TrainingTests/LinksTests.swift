import Checkpoints
import Foundation
import TestSupport
import Testing

/// Folders on file systems without links, as vfat and some that are mounted over a network.
@Suite(.serialized) struct LinksTests {
    /// A library that takes links away; its calls fail as on such a file system.
    private func library(_ calls: [String], in folder: TemporaryFolder) throws -> String {
        let definitions = [
            "symlink": "int symlink(const char *a, const char *b) { errno = EPERM; return -1; }",
            "link": "int link(const char *a, const char *b) { errno = EPERM; return -1; }",
        ]
        let source = folder.path("no.c")
        let text = calls.compactMap { definitions[$0] }.joined(separator: "\n")
        try "#include <errno.h>\n\(text)\n".write(
            toFile: source, atomically: false, encoding: .utf8)
        let compiled = try CommandRun(
            "/usr/bin/env", ["clang", "-shared", "-fPIC", "-o", folder.path("no.so"), source])
        try #require(compiled.status == 0, "\(compiled.errors)")
        return folder.path("no.so")
    }

    @Test(arguments: [["symlink"], ["symlink", "link"]])
    func theLastAndTheBestCheckpointHaveTheirNamesAllTheSame(calls: [String]) throws {
        let folder = try TemporaryFolder()
        let library = try library(calls, in: folder)
        let (configuration, data) = (
            try SmallRun.writeConfiguration(folder), folder.path("data")
        )
        try SmallData.write(to: data)
        func train(_ output: String, _ more: [String], preload: Bool = true) throws -> CommandRun {
            try CommandRun(
                "saccader-dist",
                [
                    "train", "--config", configuration, "--set", "data.path=\(data)", "--output",
                    folder.path(output), "--threads", "1", "--quiet", "--stages",
                    "representation", "--set", "checkpoint.everySteps=1", "--set",
                    "evaluation.everyEpochs=1",
                ] + more, environment: preload ? ["LD_PRELOAD": library] : [:])
        }
        let first = try train("run", ["--max-steps", "7"])
        #expect(first.status == 0, "\(first.errors)")
        #expect(first.messages.count == 1, "\(first.errors)")
        #expect(
            first.messages.first?.contains("no symbolic links there (Operation not permitted)")
                == true)
        #expect(try train("run", []).status == 0)
        #expect(try train("whole", [], preload: false).status == 0)
        for name in ["last.h5", "best.h5"] {
            let (own, other) = (
                "\(folder.path("run"))/checkpoints/\(name)",
                "\(folder.path("whole"))/checkpoints/\(name)"
            )
            let kind = try FileManager.default.attributesOfItem(atPath: own)[.type]
            #expect(kind as? FileAttributeType == .typeRegular)
            let checkpoint = try Checkpoint(reading: own)
            try checkpoint.verify()
            #expect(checkpoint.header.step == (try Checkpoint(reading: other)).header.step)
        }
        let files = try FileManager.default.contentsOfDirectory(
            atPath: folder.path("run/checkpoints"))
        #expect(!files.contains { $0.hasSuffix(".tmp") }, "\(files)")
    }
}
