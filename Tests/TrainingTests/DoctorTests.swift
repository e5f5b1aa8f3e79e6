import Foundation
import TestSupport
import Testing

/// The doctor's lines: what was found, and what to do about it.
@Suite(.serialized) struct DoctorTests {
    private static let subjects = [
        "mpirun", "user", "slots", "binding", "threads", "matrices", "shared memory", "disk",
        "HDF5", "clock", "network",
    ]

    private func lines(_ run: CommandRun) -> [String] {
        run.output.split(separator: "\n").map(String.init)
    }

    @Test func eachThingHasOneLine() throws {
        let folder = try TemporaryFolder()
        let run = try CommandRun("saccader-dist", ["doctor", "--output", folder.path("runs")])
        let lines = lines(run)
        #expect(lines.count == Self.subjects.count, "\(run.output)")
        for (line, subject) in zip(lines, Self.subjects) {
            #expect(line.dropFirst(5).hasPrefix(subject), "\(line)")
            #expect(["ok   ", "note ", "BAD  "].contains(String(line.prefix(5))), "\(line)")
        }
        #expect(lines[0].hasPrefix("ok   mpirun         two ranks start and add up in "))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("runs")) == [])
    }

    @Test func ranksLookTogetherAndOneOfAHostSpeaks() throws {
        let folder = try TemporaryFolder()
        let run = try CommandRun(
            "saccader-dist", ["doctor", "--output", folder.path("runs")], ranks: 3)
        #expect(run.status == 0, "\(run.errors)")
        #expect(lines(run).count == Self.subjects.count, "\(run.output)")
        #expect(run.output.contains(" mpirun         3 ranks add up 17 MB in "), "\(run.output)")
    }

    @Test func whatIsWrongComesWithItsRemedy() throws {
        let folder = try TemporaryFolder()
        try Data().write(to: URL(fileURLWithPath: folder.path("file")))
        let run = try CommandRun(
            "saccader-dist", ["doctor", "--output", folder.path("file/runs")],
            environment: [
                "PATH": "/nowhere", "OMPI_ALLOW_RUN_AS_ROOT": "0", "OPENBLAS_NUM_THREADS": "7",
            ])
        #expect(run.status == 1 && run.errors.isEmpty, "\(run.errors)")
        let lines = lines(run)
        func expect(_ start: String, _ remedy: String) {
            let line = lines.first { $0.hasPrefix(start) }
            #expect(line?.contains(remedy) == true, "\(start): \(run.output)")
        }
        expect("BAD  mpirun", "install openmpi-bin")
        if geteuid() == 0 { expect("BAD  user", "export OMPI_ALLOW_RUN_AS_ROOT=1") }
        expect("note threads", "export OPENBLAS_NUM_THREADS=1")
        expect("BAD  disk", "choose another --output")
    }

    /// A scheduler of the test's own, and what the doctor says of the job.
    private func schedulerLine(
        _ commands: [String: String], _ environment: [String: String]
    ) throws -> String {
        let folder = try TemporaryFolder()
        for (name, text) in commands {
            let path = folder.path(name)
            try "#!/bin/sh\n\(text)\n".write(toFile: path, atomically: false, encoding: .utf8)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
        try "a\na\nb\nb\n".write(toFile: folder.path("nodes"), atomically: false, encoding: .utf8)
        let search = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let run = try CommandRun(
            "saccader-dist", ["doctor", "--output", folder.path("runs")],
            environment: [
                "PATH": "\(folder.path):\(search)", "PBS_NODEFILE": folder.path("nodes"),
            ].merging(environment) { $1 })
        let lines = lines(run)
        #expect(lines.count == Self.subjects.count + 1, "\(run.output)\(run.errors)")
        return try #require(lines.dropFirst().first)
    }

    @Test func aSlurmJobIsTold() throws {
        let environment = [
            "SLURM_JOB_ID": "12", "SLURM_ARRAY_JOB_ID": "12", "SLURM_ARRAY_TASK_ID": "3",
            "SLURM_JOB_NUM_NODES": "2", "SLURM_NTASKS": "8",
        ]
        func line(requeue: Int, left: String) throws -> String {
            try schedulerLine(
                [
                    "scontrol":
                        #"[ "$*" = "show job 12_3" ] && echo "   JobState=RUNNING Requeue=\#(requeue) Restarts=0""#,
                    "squeue": #"case "$*" in *"--job 12_3"*"%L"*) echo "\#(left)" ;; esac"#,
                ], environment)
        }
        let good = try line(requeue: 1, left: "1-00:10:00")
        #expect(
            good.hasPrefix("ok   scheduler      Slurm job 12_3: 2 nodes, 8 slots, "), "\(good)")
        #expect(good.contains(", 87000 s left, requeue allowed; "), "\(good)")
        #expect(good.hasSuffix(" and goes back into the queue; cancelled, it stays out"), "\(good)")
        let short = try line(requeue: 1, left: "2:30")
        #expect(short.hasPrefix("note scheduler") && short.contains(", 150 s left, "), "\(short)")
        #expect(short.contains("--signal=B:USR1@30"), "\(short)")
        let refused = try line(requeue: 0, left: "UNLIMITED")
        #expect(
            refused.contains(", no time limit known, requeue not allowed; ")
                && refused.hasSuffix(" and ends with 75: submit with --requeue (PBS: -r y)"),
            "\(refused)")
    }

    @Test func aPBSJobIsTold() throws {
        let line = try schedulerLine(
            [
                "qstat":
                    #"printf '    Resource_List.walltime = 01:0\n\t0:00\n    resources_used.walltime = 00:10:00\n    Rerunable = True\n'"#
            ], ["PBS_JOBID": "7.head", "SECONDS_BEFORE": "60"])
        #expect(
            line.hasPrefix("ok   scheduler      PBS job 7.head: 2 nodes, 4 slots, "), "\(line)")
        #expect(line.contains(", 3000 s left, requeue allowed; "), "\(line)")
        #expect(line.contains("train.pbs saves 60 s before the end and submits a"), "\(line)")
    }
}
