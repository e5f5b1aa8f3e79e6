import Foundation

/// The job of Slurm or PBS that this process belongs to, as its variables and the scheduler tell of it.
struct ScheduledJob {
    /// The job with the scheduler's name.
    let name: String
    let nodes: String
    let slots: String
    /// The time left, in seconds; nil where the scheduler tells of no limit.
    let timeLeft: Double?
    /// nil where the scheduler does not tell.
    let mayBeRequeued: Bool?
    /// What the job script does before the time is over.
    let plan: String
    /// The seconds before the end at which the job script stops.
    let leadSeconds: Double

    /// - Parameters:
    ///   - environment: This process's.
    ///   - run: Runs a command and returns its output; nil where it fails.
    /// - Returns: nil outside of both schedulers.
    init?(environment: [String: String], run: ([String]) -> String?) {
        if let job = environment["SLURM_JOB_ID"] {
            self.init(slurm: job, environment, run)
        } else if let job = environment["PBS_JOBID"] {
            self.init(pbs: job, environment, run)
        } else {
            return nil
        }
    }

    private init(
        slurm job: String, _ environment: [String: String], _ run: ([String]) -> String?
    ) {
        // The last task of an array has the number of the array.
        let id = environment["SLURM_ARRAY_JOB_ID"].map {
            "\($0)_\(environment["SLURM_ARRAY_TASK_ID"] ?? "0")"
        }
        let known = run(["scontrol", "show", "job", id ?? job])
        name = "Slurm job \(id ?? job)"
        nodes = environment["SLURM_JOB_NUM_NODES"] ?? "?"
        slots = environment["SLURM_NTASKS"] ?? "?"
        timeLeft = run(["squeue", "--noheader", "--job", id ?? job, "--format", "%L"])
            .flatMap(Self.seconds)
        mayBeRequeued = known?.firstMatch(of: /\bRequeue=(\d+)/).map { $0.1 != "0" }
        plan =
            "cluster/slurm/train.sbatch saves at the signal that it asks for (USR1, 180 s before the end)"
            + (mayBeRequeued == false
                ? " and ends with 75" : " and goes back into the queue; cancelled, it stays out")
        leadSeconds = 180
    }

    private init(pbs job: String, _ environment: [String: String], _ run: ([String]) -> String?) {
        // Long lines are broken, and the next begins with a tab.
        let known = run(["qstat", "-f", job])?.replacing("\n\t", with: "")
        func given(_ attribute: String) -> String? {
            known?.split(separator: "\n").map { $0.drop { $0 == " " } }
                .first { $0.hasPrefix("\(attribute) = ") }
                .map { String($0.dropFirst(attribute.count + 3)) }
        }
        let list = environment["PBS_NODEFILE"].flatMap { FileManager.default.contents(atPath: $0) }
        let ranks = list.map { String(decoding: $0, as: UTF8.self).split(separator: "\n") }
        let lead = environment["SECONDS_BEFORE"].flatMap { Double($0) } ?? 300
        name = "PBS job \(job)"
        nodes = ranks.map { "\(Set($0).count)" } ?? "?"
        slots = ranks.map { "\($0.count)" } ?? "?"
        timeLeft = given("Resource_List.walltime").flatMap(Self.seconds).map {
            $0 - (given("resources_used.walltime").flatMap(Self.seconds) ?? 0)
        }
        mayBeRequeued = given("Rerunable").map { $0 == "True" }
        plan =
            "cluster/pbs/train.pbs saves \(Int(lead)) s before the end and submits a successor; after qdel it "
            + "submits none"
        leadSeconds = lead
    }

    /// One line of the doctor's.
    ///
    /// - Parameter quota: Of processor time, in cores; nil where there is none.
    func finding(quota: Double?) -> Finding {
        let facts = [
            "\(nodes) nodes", "\(slots) slots",
            quota.map { String(format: "a quota of %.2g cores", $0) } ?? "no quota",
            timeLeft.map { "\(Int($0)) s left" } ?? "no time limit known",
            "requeue \(mayBeRequeued.map { $0 ? "allowed" : "not allowed" } ?? "unknown")",
        ]
        let text = "\(name): \(facts.joined(separator: ", ")); \(plan)"
        if let timeLeft, timeLeft <= leadSeconds {
            return Finding(
                .slow, "scheduler", text,
                remedy: "less is left than that: ask for more time, or to be signalled later "
                    + "(sbatch --signal=B:USR1@30, SECONDS_BEFORE=30)")
        }
        return mayBeRequeued == false
            ? Finding(.slow, "scheduler", text, remedy: "submit with --requeue (PBS: -r y)")
            : Finding(.good, "scheduler", text)
    }

    /// nil where it is no duration, as UNLIMITED.
    private static func seconds(_ text: String) -> Double? {
        do {
            return try CommandDuration.seconds(text, option: "time left")
        } catch {
            return nil
        }
    }
}
