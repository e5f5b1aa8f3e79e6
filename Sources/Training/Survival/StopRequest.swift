import Collectives
import Dispatch
import Foundation
import Terminal

/// Why a run stops before its end.
enum StopReason: Int, Sendable {
    /// A signal to any rank, or the launcher is ending the job.
    case signal = 1
    /// `--time-limit`, or mpirun's own.
    case timeLimit

    /// The words of the run's last line.
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
    /// What to tell of a limit that nobody gave to this program; else nil.
    let warning: String?

    /// How long a run may go on under MPIEXEC_TIMEOUT, after which mpirun kills the ranks without
    /// asking: long enough before it to end the step and save.
    ///
    /// - Returns: Seconds; nil where there is no such limit.
    static func launcherLimit(_ environment: [String: String]) -> Double? {
        guard LauncherRank.rank(of: environment) != nil,
            let limit = environment["MPIEXEC_TIMEOUT"].flatMap({ Double($0) }), limit > 0
        else { return nil }
        return limit - min(60, max(2, limit / 5))
    }

    /// Looks at the clock.
    ///
    /// - Parameter timeLimit: In seconds from now.
    init(timeLimit: Double?) {
        let launcherLimit = Self.launcherLimit(ProcessInfo.processInfo.environment)
        deadline = [timeLimit, launcherLimit].compactMap { $0 }.min().map { .now() + $0 }
        warning = launcherLimit.map {
            "MPIEXEC_TIMEOUT is set: mpirun will kill the ranks; saving and stopping after "
                + "\(Int($0)) s, to go on run the same command again, or unset it"
        }
    }

    /// Listens to signals from now on; until then, a signal ends the process as any.
    func start() { Signals.shared.listen() }

    /// What any rank was asked, agreed by all ranks: every rank calls this after the same step.
    func agreed(_ communicator: any Communicator) throws -> StopReason? {
        // The first rank's clock is everyone's.
        let isLate = communicator.rank == 0 && deadline.map { DispatchTime.now() >= $0 } == true
        let sums = try communicator.sum([Signals.shared.asksToStop ? 1 : 0, isLate ? 1 : 0])
        if sums[0] > 0 { return .signal }
        return sums[1] > 0 ? .timeLimit : nil
    }
}
