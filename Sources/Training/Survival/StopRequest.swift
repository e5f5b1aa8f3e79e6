import Collectives
import Dispatch
import Foundation
import Synchronization

/// Why a run stops before its end.
enum StopReason: Int, Sendable {
    /// SIGTERM, SIGINT or SIGUSR1 to any rank.
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
final class StopRequest {
    private static let signals = [SIGTERM, SIGINT, SIGUSR1]

    private let signalled: Signalled
    private let sources: [any DispatchSourceSignal]
    private let deadline: DispatchTime?

    /// How many signals have come.
    private final class Signalled: Sendable {
        let count = Atomic<Int>(0)
    }

    /// Listens from now on.
    ///
    /// - Parameter timeLimit: In seconds from now.
    init(timeLimit: Double?) {
        let signalled = Signalled()
        self.signalled = signalled
        deadline = timeLimit.map { .now() + $0 }
        let queue = DispatchQueue(label: "signals")
        sources = Self.signals.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                let earlier = signalled.count.add(1, ordering: .relaxed).oldValue
                // Who asks twice does not want to wait; the last checkpoint is whole.
                if earlier > 0 && number != SIGUSR1 { _exit(TrainingError.stoppedExitCode) }
            }
            source.resume()
            return source
        }
    }

    deinit {
        for source in sources { source.cancel() }
        for number in Self.signals { signal(number, SIG_DFL) }
    }

    /// What any rank was asked, agreed by all ranks: every rank calls this after the same step.
    func agreed(_ communicator: any Communicator) throws -> StopReason? {
        // The first rank's clock is everyone's.
        let isLate = communicator.rank == 0 && deadline.map { DispatchTime.now() >= $0 } == true
        let isSignalled = signalled.count.load(ordering: .relaxed) > 0
        let sums = try communicator.sum([isSignalled ? 1 : 0, isLate ? 1 : 0])
        if sums[0] > 0 { return .signal }
        return sums[1] > 0 ? .timeLimit : nil
    }
}
