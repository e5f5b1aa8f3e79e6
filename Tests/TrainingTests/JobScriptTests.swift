import Foundation
import TestSupport
import Testing

/// The job scripts, with a scheduler and an mpirun of the test's own.
@Suite(.serialized) struct JobScriptTests {
    private let folder: TemporaryFolder
    private let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../..").standardized.path
    private let program = CommandRun.path("saccader-dist")

    init() throws {
        folder = try TemporaryFolder()
        // The run saves and wants to go on.
        try command("mpirun", "printf '%s\\n' \"$*\" >\(folder.path("started")); exit 75")
    }

    private func command(_ name: String, _ text: String) throws {
        let path = folder.path(name)
        try "#!/bin/bash\n\(text)\n".write(toFile: path, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }

    /// Runs a job script; its first argument is one that it hands on.
    private func run(
        _ script: String, _ arguments: [String], _ environment: [String: String]
    ) throws -> CommandRun {
        let search = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let programs = URL(fileURLWithPath: program).deletingLastPathComponent().path
        return try StartedCommand(
            "saccader-dist", arguments, launcher: ["bash", "\(root)/cluster/\(script)"],
            environment: ["PATH": "\(folder.path):\(search)", "SACCADER_BIN": programs]
                .merging(environment) { $1 }
        ).wait()
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: folder.path(name), encoding: .utf8)
    }

    @Test(arguments: [["--output", "runs/x"], ["--output=runs/x"], []])
    func aTaskOfASlurmArrayHasASeedAndAFolderAndIsRequeued(output: [String]) throws {
        // Slurm ends the script.
        try command("scontrol", "echo \"$@\" >\(folder.path("requeued")); kill -KILL $PPID")
        let run = try run(
            "slurm/train.sbatch", ["--quiet"] + output + ["--max-steps", "3"],
            [
                "SLURM_SUBMIT_DIR": root, "SLURM_NTASKS": "4", "SLURM_CPUS_PER_TASK": "2",
                "SLURM_ARRAY_TASK_ID": "3", "SLURM_JOB_ID": "77",
            ])
        #expect(run.status == 128 + SIGKILL, "\(run.errors)")
        let base = output.isEmpty ? "runs/train" : "runs/x"
        #expect(
            try text("started") == "-n 4 --map-by slot:PE=2 \(program) train --threads 2 "
                + "--output \(base)-seed3 \(program) --quiet --max-steps 3 --set seed=3\n")
        #expect(try text("requeued") == "requeue 77\n")
    }

    /// Who cancels a job does not want it back.
    @Test func aSlurmJobThatIsCancelledSavesAndStaysOutOfTheQueue() throws {
        try command("scontrol", "echo \"$@\" >\(folder.path("requeued"))")
        // The scheduler's TERM reaches every process; mpirun does not listen to it.
        try command("mpirun", "kill -TERM $(ps -o ppid= -p $PPID); sleep 1; exit 75")
        let run = try run(
            "slurm/train.sbatch", ["--quiet"],
            ["SLURM_SUBMIT_DIR": root, "SLURM_NTASKS": "4", "SLURM_JOB_ID": "77"])
        #expect(run.status == 75, "\(run.errors)")
        #expect(run.output.contains("saved; cancelled, so not back into the queue"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("requeued")))
    }

    @Test func aPBSJobSubmitsASuccessorLikeItself() throws {
        try command(
            "qstat",
            """
            printf '    Job_Name = mine\\n    queue = long\\n'
            printf '    Resource_List.select = 4:ncpus=32:mpi\\n\\tprocs=32\\n'
            printf '    Resource_List.walltime = 24:00:00\\n'
            """)
        try command("qsub", "printf '%s\\n' \"$* $ARGUMENTS\" >\(folder.path("submitted"))")
        try "a\na\nb\n".write(toFile: folder.path("nodes"), atomically: false, encoding: .utf8)
        let run = try run(
            "pbs/train.pbs", [],
            [
                "PBS_O_WORKDIR": root, "PBS_JOBID": "77.head",
                "PBS_NODEFILE": folder.path("nodes"), "OMP_NUM_THREADS": "2",
                "ARGUMENTS": "--stages representation,location --output runs/x",
            ])
        #expect(run.status == 75, "\(run.errors)")
        #expect(
            try text("started")
                == "-n 3 --hostfile \(folder.path("nodes")) -x OPENBLAS_NUM_THREADS "
                + "\(program) train --threads 2 --time-limit 86100 "
                + "--stages representation,location --output runs/x\n")
        #expect(
            try text("submitted")
                == "-l select=4:ncpus=32:mpiprocs=32 -l walltime=24:00:00 -q long "
                + "-N mine -v ARGUMENTS,SACCADER_BIN,SECONDS_BEFORE cluster/pbs/train.pbs "
                + "--stages representation,location --output runs/x\n")
    }

    /// mpirun would wait for it without end.
    @Test func aHostThatDoesNotAnswerIsNamedBeforeMpirunStarts() throws {
        try command(
            "ssh",
            """
            printf '%s\\n' "$*" >>\(folder.path("asked"))
            case "$*" in
                *gone*) echo "ssh: connect to host gone port 22: No route to host" >&2; exit 255 ;;
                *slow*) sleep 600 ;;
            esac
            """)
        func start(_ hosts: String) throws -> CommandRun {
            try hosts.write(toFile: folder.path("hosts"), atomically: false, encoding: .utf8)
            // The program stands between the script and its arguments.
            let search = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
            return try StartedCommand(
                "saccader-dist", [],
                launcher: [
                    "bash", "-c",
                    "cd \(root) && cluster/hosts/train \(folder.path("hosts")) --quiet",
                ],
                environment: [
                    "PATH": "\(folder.path):\(search)", "SACCADER_CONNECT_SECONDS": "5",
                    "SACCADER_BIN": URL(fileURLWithPath: program).deletingLastPathComponent().path,
                    "SACCADER_GEMM": "openblas",
                ]
            ).wait()
        }
        let refused = try start(
            "# mine\nlocalhost slots=2\nnode1 slots=2\ngone slots=4\nslow slots=4\n")
        #expect(refused.status == 76, "\(refused.errors)")
        #expect(refused.seconds < Waiting.limit)
        let lines = refused.errors.split(separator: "\n")
        #expect(lines.count == 2, "\(refused.errors)")
        #expect(
            lines.contains {
                $0.contains(
                    "gone does not answer within 5 s (ssh: connect to host gone port 22: No ")
            }, "\(lines)")
        #expect(
            lines.contains { $0.contains("slow does not answer within 5 s; look at ") }, "\(lines)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("started")))
        let asked = try text("asked")
        #expect(asked.contains("BatchMode=yes") && asked.contains(" node1 true"))
        #expect(!asked.contains("localhost"))
        let going = try start("localhost slots=2\nnode1 slots=2\n")
        #expect(going.status == 75, "\(going.errors)")
        let list = folder.path("hosts").replacing("//", with: "/")
        #expect(
            try text("started")
                == "--hostfile \(list) -x OPENBLAS_NUM_THREADS -x SACCADER_GEMM "
                + "\(program) train --threads 1 --quiet\n")
    }

    @Test(arguments: [
        ("slurm/train.sbatch", "SLURM_SUBMIT_DIR"), ("pbs/train.pbs", "PBS_O_WORKDIR"),
    ])
    func aJobThatCannotStartSaysWhy(script: String, variable: String) throws {
        let nodes = ["PBS_NODEFILE": folder.path("mpirun"), "SLURM_NTASKS": "1"]
        let elsewhere = try run(
            script, [], nodes.merging([variable: folder.path]) { $1 })
        #expect(elsewhere.status == 64, "\(elsewhere.errors)")
        let name = URL(fileURLWithPath: folder.path).lastPathComponent
        #expect(elsewhere.errors.contains("\(name): submit from the folder of the project"))
        let unbuilt = try run(
            script, [], nodes.merging([variable: root, "SACCADER_BIN": "/no/bin"]) { $1 })
        #expect(unbuilt.status == 66, "\(unbuilt.errors)")
        #expect(unbuilt.errors.contains("/no/bin/saccader-dist: no such program; run swift build"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("started")))
    }
}
