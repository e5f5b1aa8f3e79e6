import Foundation
import Synchronization
import Tensors
import Terminal

/// Ends the job where MPI itself does not start, as when a rank is stopped before it has joined.
///
/// No rank can ask another one anything yet; each looks at the processes of its own host.
public final class LaunchWatch: Sendable {
    private let isOver = Atomic<Bool>(false)
    private let timeout: Double
    private let rank: Int
    private let report: @Sendable (_ error: TrainingError, _ rank: Int) -> Never

    /// How often the thread looks.
    private static let period = 0.2

    /// Watches from now on; nil where no launcher has started this process.
    ///
    /// - Parameters:
    ///   - timeout: Seconds after which the job ends.
    ///   - report: Says why, and ends this process.
    /// - Throws: Where no thread can be started.
    public init?(
        timeout: Double, report: @escaping @Sendable (_ error: TrainingError, _ rank: Int) -> Never
    ) throws(ThreadError) {
        guard let rank = LauncherRank.own else {
            return nil
        }
        (self.timeout, self.rank, self.report) = (timeout, rank, report)
        try WorkerThread.start("launch") { self.watch() }
    }

    /// MPI has started.
    public func end() { isOver.store(true, ordering: .relaxed) }

    private func watch() {
        var (start, before) = (Stopwatch.now, Stopwatch.now)
        while !isOver.load(ordering: .relaxed) {
            Thread.sleep(forTimeInterval: Self.period)
            let now = Stopwatch.now
            // This process was itself stopped meanwhile.
            if now - before > max(2, timeout / 2) { start = now }
            before = now
            let idle = now - start
            if idle >= timeout { speak(idle: idle) }
        }
    }

    /// Tells of it: ranks that see a stopped one first, one after the other, then rank 0.
    private func speak(idle: Double) {
        let host = ProcessInfo.processInfo.hostName
        let stopped = HostProcess.siblings().filter(\.isStopped).compactMap(\.rank).min()
        Thread.sleep(forTimeInterval: Double(min(rank, 8)) + (stopped == nil ? 10 : 0))
        if isOver.load(ordering: .relaxed) { return }
        let seconds = Int(idle)
        report(
            .rankLost(
                stopped.map {
                    "rank \($0) on \(host) is stuck at the start, stopped before it has joined the "
                        + "others, for \(seconds) s; look at that host and run again"
                }
                    ?? "MPI has not started for \(seconds) s: a rank on another host than \(host) is "
                    + "stopped or does not come up; look at the hosts (saccader-dist doctor) and run "
                    + "again"), rank)
    }
}
