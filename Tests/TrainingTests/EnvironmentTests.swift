import Foundation
import TestSupport
import Testing

/// What a run is started in changes none of its numbers.
@Suite(.serialized) struct EnvironmentTests {
    private static let odd = [
        "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Pacific/Chatham",
        "HOME": "/proc/nobody", "OMP_NUM_THREADS": "7", "OPENBLAS_NUM_THREADS": "7",
        "OMP_PROC_BIND": "true", "COLUMNS": "20",
    ]
    /// As in the script of a job, outside its mpirun.
    private static let job = [
        "SLURM_JOB_ID": "4711", "SLURM_NTASKS": "64", "SLURM_PROCID": "3",
        "SLURM_CPUS_PER_TASK": "8",
        "PBS_JOBID": "4711.head", "PBS_NODEFILE": "/nowhere", "PBS_ENVIRONMENT": "PBS_BATCH",
    ]

    @Test(arguments: [1, 2]) func anOddEnvironmentChangesNothing(ranks: Int) throws {
        let folder = try TemporaryFolder()
        let configuration = try SmallRun.writeConfiguration(folder)
        let data = folder.path("data")
        try SmallData.write(to: data)

        /// The log's lines and what the evaluation program says.
        func run(
            _ name: String, _ launcher: [String], _ environment: [String: String]
        ) throws -> ([[String: Double]], String) {
            let output = folder.path(name)
            func end(_ program: String, _ arguments: [String], _ launcher: [String]) throws
                -> CommandRun
            {
                let run = try StartedCommand(
                    program, arguments, launcher: launcher, environment: environment
                ).wait()
                #expect(run.status == 0 && run.messages.isEmpty, "\(name): \(run.errors)")
                return run
            }
            let mpirun = ranks == 1 ? [] : ["mpirun", "-n", "\(ranks)"]
            _ = try end(
                "saccader-dist",
                [
                    "train", "--config", configuration, "--set", "data.path=\(data)", "--output",
                    output, "--threads", "1", "--quiet", "--max-steps", "4",
                ], launcher + mpirun)
            let evaluation = try end(
                "saccader-eval",
                [
                    "\(output)/checkpoints/last.h5", "--data", data, "--quiet", "--json",
                    "--output", "\(output)/evaluation",
                ], launcher)
            return (
                try SmallRun.metrics(output), evaluation.output.replacing(output, with: "RUN")
            )
        }

        let calm = try run("calm", [], [:])
        #expect(calm.0.count > 12)
        let odd = try run(
            "odd",
            [
                "--unset=TERM", "--ignore-signal=HUP", "bash", "-c",
                "umask 077; exec \"$0\" \"$@\"",
            ],
            Self.odd.merging(ranks == 1 ? Self.job : [:]) { $1 })
        #expect(odd.0 == calm.0)
        let isAlike = odd.1 == calm.1
        #expect(isAlike)
    }

    /// Where the system does not tell the command line, the program does nothing else instead.
    @Test(
        .enabled(if: getuid() == 0, "mounts something in the place of /proc"),
        arguments: ["saccader-dist", "saccader-eval"])
    func withoutItsWordsAProgramDoesNothing(program: String) throws {
        let run = try StartedCommand(
            program, ["train", "--max-steps", "1"],
            launcher: [
                "unshare", "-m", "bash", "-c", "mount -t tmpfs none /proc; exec \"$0\" \"$@\"",
            ]
        ).wait()
        #expect(run.status == 70, "\(run.errors)")
        #expect(run.output.isEmpty)
        #expect(run.messages.count == 1, "\(run.errors)")
        #expect(run.errors.contains("/proc is not mounted"), "\(run.errors)")
    }
}
