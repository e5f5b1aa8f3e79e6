/// A process that a launcher has started as one of several, and that knows of no other.
///
/// Each would train the whole run by itself, into the same folder: srun without an interface that
/// Open MPI speaks, another MPI's mpirun and torchrun do so.
public struct LoneProcess: Error, CustomStringConvertible {
    /// The launcher's variable.
    let variable: String
    /// How many processes it has started.
    let count: Int

    /// The variables in which launchers tell their processes how many there are; the second has to
    /// be there too, as scripts inherit the first.
    private static let signs = [
        ("PMI_SIZE", "PMI_RANK"), ("MPI_LOCALNRANKS", "MPI_LOCALRANKID"),
        ("MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"), ("PALS_SIZE", "PALS_RANKID"),
        ("FLUX_JOB_SIZE", "FLUX_TASK_RANK"), ("JSM_NAMESPACE_SIZE", "JSM_NAMESPACE_RANK"),
        ("SLURM_STEP_NUM_TASKS", "SLURM_PROCID"), ("WORLD_SIZE", "TORCHELASTIC_RUN_ID"),
    ]

    /// Nil where the process is rightly alone.
    ///
    /// - Parameter environment: Of a process that is a run of one rank.
    init?(_ environment: [String: String]) {
        // Ranks of Open MPI's mpirun inherit what the scheduler says of its daemons.
        if environment["OMPI_COMM_WORLD_SIZE"] != nil { return nil }
        for (size, rank) in Self.signs where environment[rank] != nil {
            guard let count = environment[size].flatMap({ Int($0) }), count > 1 else { continue }
            (self.variable, self.count) = (size, count)
            return
        }
        return nil
    }

    /// One line: what, where, what to do next.
    public var description: String {
        "the launcher has started \(count) processes (\(variable)=\(count)), but this one is alone, "
            + "as each would be: start them with Open MPI's mpirun (mpirun -n \(count) saccader-dist "
            + "…), under Slurm with cluster/slurm/train.sbatch or srun --mpi=pmix; where each is to be a run of its own: "
            + "env --unset=\(variable)"
    }
}
