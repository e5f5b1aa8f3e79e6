import Checkpoints
import Collectives
import Foundation
import Host
import Tensors

/// Looks at what a run needs on this host, and says what is missing and what to do.
public struct Doctor {
    let output: String
    private let program: String
    private let communicator: any Communicator
    let environment = ProcessInfo.processInfo.environment

    /// - Parameters:
    ///   - output: The folder that a run would write to.
    ///   - program: This program's path, for starting it under mpirun.
    ///   - communicator: The doctor's own ranks.
    public init(output: String, program: String, communicator: any Communicator) {
        (self.output, self.program, self.communicator) = (output, program, communicator)
    }

    /// All checks, in the order in which they matter; every rank calls this.
    public func findings() throws -> [Finding] {
        let ranks = communicator.size > 1 ? try together() : launch()
        // One rank of each host looks at the host.
        let local = environment["OMPI_COMM_WORLD_LOCAL_RANK"].flatMap { Int($0) } ?? 0
        guard local == 0 else { return [] }
        return [ranks] + scheduler()
            + [root(), slots(), binding(), threads(), matrixLibrary(), sharedMemory()] + disk()
            + [clock(), interfaces()]
    }

    /// One rank speaks of the job; none where there is no scheduler.
    private func scheduler() -> [Finding] {
        guard communicator.rank == 0 else { return [] }
        let job = ScheduledJob(environment: environment) { words in
            guard let run = Shell.run(words, timeout: 10), run.status == 0 else { return nil }
            return run.output.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        return job.map { [$0.finding(quota: CPUQuota.cores)] } ?? []
    }

    // MARK: - MPI

    /// The doctor's own ranks, on however many hosts: they add up a large vector.
    private func together() throws -> Finding {
        var numbers = [Float](repeating: 1, count: 4 << 20)
        let (_, seconds) = try Stopwatch.time {
            try numbers.withUnsafeMutableBufferPointer { try communicator.sum($0) }
        }
        let isRight = numbers.allSatisfy { $0 == Float(communicator.size) }
        let text = String(
            format: "%d ranks add up 17 MB in %.2f s", communicator.size, seconds)
        if !isRight {
            return Finding(
                .bad, "mpirun", "\(text), with a wrong result",
                remedy: "look at the memory and network of the hosts")
        }
        return seconds < 1
            ? Finding(.good, "mpirun", text)
            : Finding(
                .slow, "mpirun", text,
                remedy: "more ranks than cores, or the slow network: see the line network")
    }

    private func launch() -> Finding {
        let start = Date()
        let run = Shell.run(["mpirun", "-n", "2", program, "doctor", "--probe"], timeout: 30)
        guard let run else {
            return Finding(
                .bad, "mpirun", "not found, or two ranks do not meet in 30 s",
                remedy: "install openmpi-bin; on several hosts check that ssh needs no password")
        }
        guard run.status == 0 else {
            let reason = run.output.split(separator: "\n").first { !$0.hasPrefix("-") } ?? ""
            return Finding(
                .bad, "mpirun", "two ranks do not start (\(reason))",
                remedy: "source cluster/local/environment and try again")
        }
        let seconds = Date().timeIntervalSince(start)
        return Finding(
            .good, "mpirun", String(format: "two ranks start and add up in %.1f s", seconds))
    }

    private func root() -> Finding {
        guard geteuid() == 0 else { return Finding(.good, "user", "not root") }
        let names = ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"]
        let missing = names.filter { environment[$0] != "1" }
        return missing.isEmpty
            ? Finding(.good, "user", "root, allowed by the environment")
            : Finding(
                .bad, "user", "root, which mpirun refuses",
                remedy: "export " + missing.map { "\($0)=1" }.joined(separator: " "))
    }

    private func slots() -> Finding {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let more = environment["OMPI_MCA_rmaps_base_oversubscribe"] == "1"
        let quota = CPUQuota.cores.map {
            String(format: ", of whose time a quota gives %.2g: ranks × threads should be ", $0)
                + "\(CPUQuota.usableCores)"
        }
        return Finding(
            .good, "slots",
            "\(cores) cores\(quota ?? ""); more ranks than that are "
                + (more
                    ? "allowed"
                    : "refused (export OMPI_MCA_rmaps_base_oversubscribe=1 to try things out)"))
    }

    // MARK: - Processor

    private func binding() -> Finding {
        let (online, usable) = (ProcessInfo.processInfo.activeProcessorCount, Cores.usable)
        guard usable < online else { return Finding(.good, "binding", "all cores may be used") }
        let text = "bound to \(usable) of \(online) cores"
        let ranks = environment["OMPI_COMM_WORLD_LOCAL_SIZE"].flatMap { Int($0) } ?? 1
        return usable * ranks >= online
            ? Finding(.good, "binding", "\(text), the share of one of \(ranks) ranks")
            : Finding(
                .slow, "binding", text,
                remedy: "if that is not a scheduler's doing: mpirun --bind-to none")
    }

    private func threads() -> Finding {
        let count = environment["OPENBLAS_NUM_THREADS"] ?? environment["OMP_NUM_THREADS"]
        guard let count, count != "1" else {
            return Finding(.good, "threads", "the matrix library starts none of its own")
        }
        return Finding(
            .slow, "threads", "the environment gives the matrix library \(count) threads",
            remedy: "harmless for training, which resets it; export OPENBLAS_NUM_THREADS=1")
    }

    private func matrixLibrary() -> Finding {
        let description = MatrixMultiply.libraryDescription
        let isOld = ["Prescott", "Core2", "Generic"].contains {
            description.lowercased().hasSuffix($0.lowercased())
        }
        return isOld
            ? Finding(
                .slow, "matrices", "\(description): kernels for an old processor",
                remedy:
                    "unset OPENBLAS_CORETYPE; a virtual machine should show its host's processor"
            ) : Finding(.good, "matrices", MatrixMultiply.backEnds)
    }
}
