import Foundation
import Synchronization

/// What signals have told this process.
///
/// A handler may do little more than set a flag, and has no context but the process: hence the one
/// shared value.
public final class Signals: Sendable {
    /// The signals of this process.
    public static let shared = Signals()

    private let isStopAsked = Atomic<Bool>(false)
    /// When it was first asked to end, in seconds of the machine's uptime; 0 while it was not.
    private let termination = Atomic<Int>(0)
    private let isJobOver = Atomic<Bool>(false)
    private let launcher = Atomic<Int32>(0)

    /// Whether the run is to stop at the next step border.
    var asksToStop: Bool { isStopAsked.load(ordering: .relaxed) }

    /// Whether the launcher is ending the job: two seconds are left.
    public var isJobEnding: Bool { isJobOver.load(ordering: .relaxed) }

    /// Listens from now on.
    public func listen() {
        launcher.store(Self.findLauncher(), ordering: .relaxed)
        var action = sigaction()
        action.__sigaction_handler.sa_sigaction = Self.handler
        action.sa_flags = SA_SIGINFO | SA_RESTART
        // A parent may have blocked them, and what it starts would never get them.
        var numbers = sigset_t()
        sigemptyset(&numbers)
        for number in [SIGTERM, SIGINT, SIGHUP, SIGCONT] + Self.warnings where !isLeftAlone(number)
        {
            sigaction(number, &action, nil)
            sigaddset(&numbers, number)
        }
        pthread_sigmask(SIG_UNBLOCK, &numbers, nil)
    }

    /// What schedulers send before they end a job: Slurm and SGE USR1, LSF, SGE and submitit USR2,
    /// and those that count processor time XCPU.
    private static let warnings = [SIGUSR1, SIGUSR2, SIGXCPU]

    /// nohup has the program go on when the terminal closes.
    private func isLeftAlone(_ number: Int32) -> Bool {
        guard number == SIGHUP else { return false }
        var action = sigaction()
        sigaction(number, nil, &action)
        // SIG_IGN, which no pointer to a function can be compared with.
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }

    private static let handler:
        @convention(c) (Int32, UnsafeMutablePointer<siginfo_t>?, UnsafeMutableRawPointer?) -> Void =
            { number, information, _ in
                shared.receive(number, from: information?.pointee._sifields._kill.si_pid ?? 0)
            }

    /// mpirun, told to end or having lost a rank, sends SIGCONT, after a second SIGTERM, and after
    /// another SIGKILL: the first is the request, so that both seconds can be used.
    private func receive(_ number: Int32, from sender: Int32) {
        let isLauncher = sender != 0 && sender == launcher.load(ordering: .relaxed)
        switch number {
        case SIGCONT:
            guard isLauncher else { return }
            isJobOver.store(true, ordering: .relaxed)
        // A terminal that closes tells its processes itself, and the shell in it once more.
        case SIGTERM where isLauncher && isJobEnding, SIGUSR1, SIGUSR2, SIGXCPU, SIGHUP:
            break
        default:
            var now = timespec()
            clock_gettime(CLOCK_MONOTONIC, &now)
            let first = termination.compareExchange(
                expected: 0, desired: max(1, now.tv_sec), ordering: .relaxed
            ).original
            // Who asks twice does not want to wait; the last checkpoint is whole. But a scheduler says SIGTERM
            // several times within seconds: itself, and through each launcher above this process.
            let isImpatient = first != 0 && (number == SIGINT || now.tv_sec - first >= 10)
            if isImpatient { _exit(TrainingError.stoppedExitCode) }
        }
        isStopAsked.store(true, ordering: .relaxed)
    }

    /// The process of mpirun, or of its daemon on this host, that started this rank; 0 where there
    /// is none, or where it is told to hand on the terminal's job control, SIGCONT included.
    private static func findLauncher() -> Int32 {
        let environment = ProcessInfo.processInfo.environment
        let handsOn = environment["OMPI_MCA_orte_forward_job_control"] ?? "0"
        let parent = getppid()
        let name = FileManager.default.contents(atPath: "/proc/\(parent)/comm") ?? Data()
        let names = ["mpirun", "mpiexec", "orterun", "orted", "prte", "prted", "prterun"]
        let isLauncher = names.contains { "\($0)\n" == String(decoding: name, as: UTF8.self) }
        return isLauncher && handsOn == "0" ? parent : 0
    }
}
