import Foundation
import TestSupport
import Testing

/// The script that the job scripts start mpirun with, and an mpirun of the test's own.
@Suite(.serialized) struct LauncherTests {
    private let folder: TemporaryFolder
    private let launcher = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../cluster/local/mpirun").path

    init() throws { folder = try TemporaryFolder() }

    /// Runs the script; `mpirun` is what stands in mpirun's place.
    private func run(_ mpirun: String, grace: Int = 1) throws -> CommandRun {
        let path = folder.path("mpirun")
        try "#!/bin/bash\n\(mpirun)\n".write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        let search = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return try StartedCommand(
            "saccader-dist", [], ranks: 2, launcher: [launcher],
            environment: ["PATH": "\(folder.path):\(search)", "SACCADER_GRACE": "\(grace)"]
        ).wait()
    }

    /// Open MPI's waits for ever where a host does not answer.
    @Test func anMpirunThatDoesNotEndIsEndedOnceARankHasGivenUp() throws {
        let run = try run(
            """
            trap '' TERM
            sleep 600 &
            echo $! >\(folder.path("rank"))
            echo "saccader-dist: rank 0: rank 3 on node4 is stuck" >&2
            sleep 600
            """)
        #expect(run.status == 76)
        #expect(run.messages == ["saccader-dist: rank 0: rank 3 on node4 is stuck"])
        #expect(run.errors.contains("mpirun does not end"))
        #expect(run.seconds < Waiting.limit)
        let rank = try String(contentsOfFile: folder.path("rank"), encoding: .utf8)
        let process = try #require(Int32(rank.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(!StartedCommand.isAlive(process))
    }

    /// Whatever it says, its last words arrive, and its exit code stays.
    @Test func anMpirunThatEndsIsLeftAlone() throws {
        let run = try run(
            """
            echo "saccader-dist: rank 1: disk full" >&2
            seq 1 50000 >&2
            echo result
            exit 73
            """, grace: 60)
        #expect(run.status == 73)
        #expect(run.output == "result\n")
        #expect(run.errors.hasSuffix("\n49999\n50000\n"))
        #expect(!run.errors.contains("mpirun does not end"))
    }

    /// It comes while the script prepares what mpirun writes to.
    @Test(arguments: ["TERM", "INT", "USR1"])
    func aSignalBeforeMpirunIsThereIsNotLost(signal: String) throws {
        let path = folder.path("mkfifo")
        try "#!/bin/sh\nkill -\(signal) $PPID\nexec /usr/bin/mkfifo \"$@\"\n"
            .write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        let run = try run(
            """
            trap 'echo saved; exit 75' USR1
            for i in $(seq 300); do sleep 0.1; done
            """)
        #expect(run.status == 75, "\(run.errors)")
    }

    @Test func aLongRunThatWarnsIsLeftAlone() throws {
        let run = try run("echo 'saccader-dist: warning: disk full' >&2; sleep 3; exit 0")
        #expect(run.status == 0)
    }
}
