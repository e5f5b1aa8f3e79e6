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
    ///
    /// - Parameter before: What comes before that one.
    private func run(
        _ script: String, _ arguments: [String], _ environment: [String: String],
        before: [String] = []
    ) throws -> CommandRun {
        let search = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let programs = URL(fileURLWithPath: program).deletingLastPathComponent().path
        return try StartedCommand(
            "saccader-dist", arguments, launcher: ["bash", "\(root)/cluster/\(script)"] + before,
            environment: ["PATH": "\(folder.path):\(search)", "SACCADER_BIN": programs]
                .merging(environment) { $1 }
        ).wait()
    }

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: folder.path(name), encoding: .utf8)
    }

    @Test(arguments: [["--output", "runs/x"], ["--output=runs/x"], []])
    func aTaskOfASlurmArrayHasASeedAndAFolder(output: [String]) throws {
        try slurm("JobState=RUNNING Restarts=0")
        let run = try run(
            "slurm/train.sbatch", ["--quiet"] + output + ["--max-steps", "3"],
            slurmJob.merging(["SLURM_CPUS_PER_TASK": "2", "SLURM_ARRAY_TASK_ID": "3"]) { $1 })
        #expect(run.status == 75, "\(run.errors)")
        let base = output.isEmpty ? "runs/train" : "runs/x"
        #expect(
            try text("started") == "-n 4 --map-by slot:PE=2 \(program) train --threads 2 "
                + "--output \(base)-seed3 \(program) --quiet --max-steps 3 --set seed=3\n")
    }

    private var slurmJob: [String: String] {
        [
            "SLURM_SUBMIT_DIR": root, "SLURM_NTASKS": "4", "SLURM_JOB_ID": "77",
            "SLURM_ARRAY_JOB_ID": "70", "SLURM_ARRAY_TASK_ID": "3",
        ]
    }

    /// A Slurm that says `state` of a job, and takes it back; or refuses with a word.
    private func slurm(_ state: String, refusal: String? = nil) throws {
        try command(
            "scontrol",
            """
            case "$*" in
                "show job 70_3") echo "   \(state)" ;;
                requeue*) echo "$*" >>\(folder.path("asked")); \(refusal.map { "echo '\($0)' >&2; exit 1" } ?? "kill -TERM $PPID $(ps -o ppid= -p $PPID)") ;;
                *) exit 1 ;;
            esac
            """)
    }

    /// A run that gets further, and ends with `status` after the job script has had `signals`.
    private func run(signals: [String], saves: Bool = true, status: Int = 75) throws -> CommandRun {
        let checkpoints = folder.path("x-seed3/checkpoints")
        // The parent of the script that is mpirun's parent.
        try command(
            "mpirun",
            """
            \(saves ? "mkdir -p \(checkpoints); touch \(checkpoints)/new" : "")
            for signal in \(signals.joined(separator: " ")); do
                kill -$signal $(ps -o ppid= -p $PPID)
                sleep 0.3
            done
            exit \(status)
            """)
        return try run("slurm/train.sbatch", ["--output", folder.path("x")], slurmJob)
    }

    /// Why a Slurm job stops, as Slurm tells it while the job ends, and whether it goes back into the queue.
    @Test(arguments: [
        (["USR1"], "JobState=RUNNING Reason=None Restarts=0", "told by USR1; back into", true),
        (["TERM"], "JobState=COMPLETING Reason=TimeLimit Restarts=0", "out of time; back", true),
        (
            ["TERM"], "JobState=COMPLETING Reason=None Restarts=0 PreemptTime=2026-11-28T01:45:37",
            "preempted; back into the queue", true
        ),
        (["TERM"], "JobState=COMPLETING Reason=None Restarts=1", "Slurm has put the job", false),
        (["USR1", "TERM"], "JobState=COMPLETING Reason=None Restarts=0", "cancelled, so", false),
        (
            ["TERM"], "JobState=COMPLETING Reason=None Restarts=0 PreemptTime=None",
            "cancelled, so not back into the queue", false
        ),
        ([], "JobState=RUNNING Reason=None Restarts=0", "neither out of time nor", false),
    ])
    func aSlurmJobGoesBackAfterItsSignalOrPreemptionAlone(
        signals: [String], state: String, says: String, isRequeued: Bool
    ) throws {
        try slurm(state)
        let run = try run(signals: signals)
        #expect(run.status == 75, "\(run.errors)")
        #expect(run.output.contains("saved; \(says)"), "\(run.output)")
        let asked = FileManager.default.fileExists(atPath: folder.path("asked"))
        #expect(asked == isRequeued)
        if asked { #expect(try text("asked") == "requeue 70_3\n") }
    }

    @Test func aRequeueThatSlurmRefusesIsTold() throws {
        try slurm("JobState=RUNNING Restarts=0", refusal: "Requested operation is disabled")
        let run = try run(signals: ["USR1"])
        #expect(run.status == 75, "\(run.errors)")
        #expect(
            run.output.contains(
                "saved; told by USR1, but Slurm does not put the job back into the queue "
                    + "(Requested operation is disabled): submit again to go on"), "\(run.output)")
    }

    @Test func aSlurmJobThatIsTooShortSaysSo() throws {
        try slurm("JobState=RUNNING Restarts=0 EndTime=$(date -d '+170 seconds' +%FT%T)")
        let short = try run(signals: ["USR1"])
        #expect(
            short.output.contains(
                "s before the time limit: to train longer at a time, ask for more"),
            "\(short.output)")
        // It would go on so for ever.
        try FileManager.default.removeItem(atPath: folder.path("asked"))
        let vain = try run(signals: ["USR1"])
        #expect(
            vain.output.contains("told by USR1 before anything new was saved; not back into"),
            "\(vain.output)")
        #expect(!FileManager.default.fileExists(atPath: folder.path("asked")))
    }

    @Test func aSlurmJobThatLosesARankSaysHowToGoOn() throws {
        try slurm("JobState=RUNNING Restarts=0")
        let run = try run(signals: [], status: 76)
        #expect(run.status == 76)
        #expect(run.output.contains("To go on from it: scontrol requeue 70_3, or submit"))
        try slurm("JobState=COMPLETING Restarts=1")
        #expect(try self.run(signals: [], status: 76).output.contains("Slurm has put the job back"))
    }

    private func pbsJob(_ attributes: [String]) throws -> [String: String] {
        try command(
            "qstat",
            "cat <<'END'\nJob Id: $2\n\(attributes.map { "    \($0)" }.joined(separator: "\n"))\nEND"
        )
        try command(
            "qsub",
            "printf '%s\\n' \"$*\" \"$ARGUMENTS\" >\(folder.path("submitted")); echo 78.head")
        try "a\na\nb\n".write(toFile: folder.path("nodes"), atomically: false, encoding: .utf8)
        return [
            "PBS_O_WORKDIR": root, "PBS_JOBID": "77.head", "PBS_NODEFILE": folder.path("nodes"),
            "OMP_NUM_THREADS": "2", "ARGUMENTS": "--stages representation,location --output runs/x",
        ]
    }

    @Test func aPBSJobSubmitsASuccessorLikeItself() throws {
        let job = try pbsJob([
            "Job_Name = mine", "queue = long", "project = vision", "Account_Name = grant",
            "Mail_Users = me@example.org", "Mail_Points = ae", "group_list = lab", "umask = 27",
            "Output_Path = head:/home/me/mine.o77", "Keep_Files = n", "Priority = 0",
            "Resource_List.select = 4:ncpus=32:mpi\n\tprocs=32:fast=True",
            "Resource_List.place = scatter:excl", "Resource_List.ncpus = 128",
            "Resource_List.nodect = 4", "Resource_List.fast = True",
            "Resource_List.software = saccader", "Resource_List.walltime = 24:00:00",
        ])
        let run = try run("pbs/train.pbs", [], job)
        #expect(run.status == 75, "\(run.errors)")
        #expect(run.output == "saved; 78.head goes on\n")
        #expect(
            try text("started")
                == "-n 3 --hostfile \(folder.path("nodes")) -x OPENBLAS_NUM_THREADS "
                + "\(program) train --threads 2 --time-limit 86100 "
                + "--output runs/x --stages representation,location\n")
        #expect(
            try text("submitted")
                == "-N mine -q long -P vision -A grant -M me@example.org -m ae -W group_list=lab "
                + "-W umask=27 -l select=4:ncpus=32:mpiprocs=32:fast=True -l place=scatter:excl "
                + "-l software=saccader -l walltime=24:00:00 "
                + "-v ARGUMENTS,SACCADER_BIN,SECONDS_BEFORE cluster/pbs/train.pbs\n"
                + "--output runs/x --stages representation,location\n")
    }

    @Test func aTaskOfAPBSArrayGoesOnAlone() throws {
        let job = try pbsJob([
            "Job_Name = mine", "Resource_List.select = 1", "Resource_List.walltime = 1:00:00",
        ])
        let run = try run("pbs/train.pbs", [], job.merging(["PBS_ARRAY_INDEX": "4"]) { $1 })
        #expect(run.status == 75, "\(run.errors)")
        #expect(
            try text("submitted").hasSuffix(
                "\n--output runs/x-seed4 --stages representation,location --set seed=4\n"))
    }

    @Test func aPBSJobThatIsDeletedSavesAndHasNoSuccessor() throws {
        let job = try pbsJob(["Resource_List.select = 1", "Resource_List.walltime = 1:00:00"])
        try command("mpirun", "kill -TERM $(ps -o ppid= -p $PPID); sleep 1; exit 75")
        let run = try run("pbs/train.pbs", [], job)
        #expect(run.status == 75, "\(run.errors)")
        #expect(run.output.contains("saved; ended by PBS before its time, so without a successor"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("submitted")))
    }

    @Test func aPBSWalltimeThatIsTooShortIsTold() throws {
        let job = try pbsJob(["Resource_List.select = 1", "Resource_List.walltime = 00:02:00"])
        let run = try run("pbs/train.pbs", [], job)
        #expect(run.status == 64)
        #expect(
            run.errors.contains(
                "the walltime, 00:02:00 (120 s), leaves nothing before SECONDS_BEFORE=300: ask"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("started")))
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

    /// A list of hosts that was written on Windows; what follows is as it was given.
    @Test func carriageReturnsInAListOfHostsAreNoPartOfNames() throws {
        try command(
            "mpirun", "cat \"$2\" >\(folder.path("list")); echo \"$3\" >\(folder.path("started"))")
        try "one slots=2\r\ntwo\r\n".write(
            toFile: folder.path("hosts"), atomically: false, encoding: .utf8)
        let run = try run("local/mpirun", [], [:], before: ["--hostfile", folder.path("hosts")])
        #expect(run.status == 0, "\(run.errors)")
        #expect(try text("list") == "one slots=2\ntwo\n")
        #expect(try text("started") == "\(program)\n")
    }
}
