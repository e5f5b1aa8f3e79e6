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

    /// What Open MPI says at the end of a run that was stopped or has failed hides what the run says.
    @Test func whatTheRunSaysIsNotHidden() throws {
        let rule = String(repeating: "-", count: 74)
        let said = """
            mpirun: Forwarding signal 10 to job
            \(rule)
            Primary job  terminated normally, but 1 process returned
            a non-zero exit code. Per user-direction, the job has been aborted.
            \(rule)
            \(rule)
            mpirun detected that one or more processes exited with non-zero status, thus causing
            saccader-dist: stopped by a signal; saved a.h5
            the job to be terminated. The first process to do so was:

              Exit code:    75
            \(rule)
            \(rule)
            mpirun noticed that process rank 1 with PID 77 on node node2 exited on signal 9 (Killed).
            \(rule)
            \(rule)
            ORTE has lost communication with a remote daemon.

              HNP daemon   : [[4855,0],0] on node node1
              Remote daemon: [[4855,0],1] on node node3

            This is usually due to either a failure of the TCP network
            \(rule)
            \(rule)
            MPI_ABORT was invoked on rank 0 in communicator MPI COMMUNICATOR 3 DUP FROM 0
            with errorcode 76.

            NOTE: invoking MPI_ABORT causes Open MPI to kill all MPI processes.
            \(rule)
            [node1:25770] 1 more process has sent help message help-mpi-btl-tcp.txt / peer hung up
            \(rule)
            There are not enough slots available in the system
            \(rule)
            plain
            """
        try said.write(toFile: folder.path("said"), atomically: false, encoding: .utf8)
        let run = try run("cat \(folder.path("said")) >&2; exit 75", grace: 60)
        #expect(
            run.errors == """
                saccader-dist: stopped by a signal; saved a.h5
                mpirun: rank 1 on node2 was ended by signal 9 (Killed)
                mpirun: node3 no longer answers
                \(rule)
                There are not enough slots available in the system
                \(rule)
                plain

                """)
    }

    /// It waits for a stopped mpirun without asking all the time.
    @Test func anMpirunThatIsStoppedCostsNothing() throws {
        let path = folder.path("mpirun")
        try "#!/bin/bash\nkill -STOP $$\nexit 3\n"
            .write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        let search = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let started = try StartedCommand(
            "saccader-dist", [], launcher: [launcher],
            environment: ["PATH": "\(folder.path):\(search)"])
        var mpirun: Int32?
        try Waiting.until("an mpirun that is stopped") {
            mpirun = try StartedCommand.children(started.identifier).first {
                try StartedCommand.isStopped($0)
            }
            return mpirun != nil
        }
        func ticks() throws -> Int {
            let stat = try String(
                contentsOfFile: "/proc/\(started.identifier)/stat", encoding: .utf8)
            let fields = stat.split(separator: " ")
            return (Int(fields[13]) ?? 0) + (Int(fields[14]) ?? 0)
        }
        // Until it has come to its wait.
        Thread.sleep(forTimeInterval: 1)
        let before = try ticks()
        Thread.sleep(forTimeInterval: 1)
        #expect(try ticks() - before < 5)
        kill(try #require(mpirun), SIGCONT)
        #expect(try started.wait().status == 3)
    }
}
