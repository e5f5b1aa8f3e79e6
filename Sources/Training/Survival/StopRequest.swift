import Collectives
import Dispatch

/// Why a run stops before its end.
enum StopReason: Int, Sendable {
    /// SIGTERM, SIGINT, SIGHUP or SIGUSR1 to any rank, or the launcher is ending the job.
    case signal = 1
    /// `--time-limit`.
    case timeLimit

    /// For the run's last line.
    var description: String {
        switch self {
        case .signal: "stopped by a signal"
        case .timeLimit: "stopped at the time limit"
        }
    }
}

/// Asks the run to stop at the next step border: a signal to this process, or the time limit.
///
/// A scheduler signals one rank or all of them, at different moments; so the ranks agree after
/// each step, and stop after the same one.
struct StopRequest {
    private let deadline: DispatchTime?

    /// Listens to signals from now on.
    ///
    /// - Parameter timeLimit: In seconds from now.
    init(timeLimit: Double?) {
        deadline = timeLimit.map { .now() + $0 }
        Signals.shared.listen()
    }

    /// What any rank was asked, agreed by all ranks: every rank calls this after the same step.
    func agreed(_ communicator: any Communicator) throws -> StopReason? {
        // The first rank's clock is everyone's.
        let isLate = communicator.rank == 0 && deadline.map { DispatchTime.now() >= $0 } == true
        let sums = try communicator.sum([Signals.shared.asksToStop ? 1 : 0, isLate ? 1 : 0])
        if sums[0] > 0 { return .signal }
        return sums[1] > 0 ? .timeLimit : nil
    }
}
