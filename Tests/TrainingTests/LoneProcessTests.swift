import Foundation
import TestSupport
import Testing

/// Processes that a launcher has started as one run, each of which knows only itself.
@Suite(.serialized) struct LoneProcessTests {
    private static let launchers: [[String: String]] = [
        ["SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1", "SLURM_NTASKS": "2"],
        ["PMI_SIZE": "2", "PMI_RANK": "1"],
        ["MPI_LOCALNRANKS": "2", "MPI_LOCALRANKID": "0"],
        ["MV2_COMM_WORLD_SIZE": "2", "MV2_COMM_WORLD_RANK": "0"],
        ["WORLD_SIZE": "2", "RANK": "0", "TORCHELASTIC_RUN_ID": "none"],
        ["FLUX_JOB_SIZE": "2", "FLUX_TASK_RANK": "0"],
    ]
    private let folder: TemporaryFolder
    private let arguments: [String]

    init() throws {
        folder = try TemporaryFolder()
        try SmallData.write(to: folder.path("data"))
        arguments = [
            "train", "--config", try SmallRun.writeConfiguration(folder), "--set",
            "data.path=\(folder.path("data"))", "--output", folder.path("run"), "--threads", "1",
            "--stages", "representation", "--max-steps", "1", "--quiet",
        ]
    }

    @Test(arguments: launchers) func aProcessThatIsAloneByMistakeIsRefused(
        environment: [String: String]
    ) throws {
        let run = try CommandRun("saccader-dist", arguments, environment: environment)
        #expect(run.status == 64, "\(run.errors)")
        #expect(run.messages.count == 1, "\(run.errors)")
        #expect(
            run.errors.contains("has started 2 processes") && run.errors.contains("mpirun -n 2"))
        #expect(!FileManager.default.fileExists(atPath: folder.path("run")))
    }

    @Test(
        arguments: [
            // A batch script; one task; the scheduler's words about the daemons of mpirun.
            (["SLURM_NTASKS": "4", "SLURM_PROCID": "0", "SLURM_JOB_ID": "7"], nil),
            (["SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"], nil),
            (["SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "1"], 1),
            (["SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "1"], 2),
        ] as [([String: String], Int?)])
    func aRunThatIsWholeIsNot(environment: [String: String], ranks: Int?) throws {
        let run = try CommandRun(
            "saccader-dist", arguments, ranks: ranks, environment: environment)
        #expect(run.status == 0, "\(run.errors)")
    }
}
