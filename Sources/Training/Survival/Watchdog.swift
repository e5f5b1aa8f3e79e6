import Collectives
import Dispatch
import Foundation
import Synchronization
import Tensors

/// Ends the job when it no longer moves on, and says which rank is stuck in what.
///
/// Every rank has one. Its thread touches no file, so that it goes on where the file system hangs:
/// a rank that is itself stuck in reading, computing or writing says so; a rank that waits for
/// others has their statuses looked at. Before there are statuses, as the output folder is only made
/// when all is checked, it listens to the signs of life of the rank before it.
final class Watchdog: Sendable {
    private let activity: Activity
    private let communicator: any Communicator
    private let timeout: Double
    private let board: Mutex<RankStatuses?> = Mutex(nil)
    private let isOver = Atomic<Bool>(false)
    private let report: @Sendable (String) -> Never
    private let host = ProcessInfo.processInfo.hostName
    private let hosts: RankHosts
    /// Seconds between two signs of life.
    private var beatPeriod: Double { min(30, max(0.1, timeout / 10)) }

    /// How often the thread looks; also how soon a lost rank is named.
    private static let period = 0.2

    /// Names what is watched.
    ///
    /// - Parameters:
    ///   - timeout: Seconds without progress on every rank after which the job ends.
    ///   - report: Says why, and ends the job.
    init(
        _ activity: Activity, communicator: any Communicator, hosts: RankHosts = RankHosts(),
        timeout: Double, report: @escaping @Sendable (String) -> Never
    ) {
        self.activity = activity
        (self.communicator, self.hosts) = (communicator, hosts)
        self.timeout = timeout
        self.report = report
    }

    /// Starts watching this rank.
    ///
    /// - Throws: Where no thread can be started.
    func start() throws(ThreadError) { try WorkerThread.start("watchdog") { self.watch() } }

    /// Learns on which host each rank is, so that one that falls silent has a host; all ranks call
    /// this.
    func learnHosts() throws {
        hosts.learn(try communicator.gather(host))
    }

    /// Watches the other ranks too, by the statuses in the output folder; all ranks call this when
    /// the folder is there.
    func join(output: String) throws {
        guard communicator.size > 1 else { return }
        if communicator.rank == 0 { try StatusBoard(output: output).create() }
        try communicator.barrier()
        let statuses = try RankStatuses(
            activity, rank: communicator.rank, hosts: hosts.all, output: output,
            timeout: timeout)
        board.withLock { $0 = statuses }
        // Nobody trains before everybody has a status: who gets stuck then has a name and a host.
        try communicator.barrier()
        try endHeartbeat()
    }

    /// Ends the signs of life, which nobody needs any more; all ranks call this.
    func endHeartbeat() throws {
        guard let heartbeat = communicator.heartbeat else { return }
        try activity.during(.waitingForRanks) { try heartbeat.end() }
    }

    /// Stops watching; the run is over.
    func end() {
        isOver.store(true, ordering: .relaxed)
        board.withLock { $0?.end() }
    }

    private func watch() {
        var last = activity.now.progress
        var (since, before) = (Stopwatch.now, Stopwatch.now)
        var (heardAt, beatAt) = (since, -Double.infinity)
        while true {
            Thread.sleep(forTimeInterval: Self.period)
            if isOver.load(ordering: .relaxed) { return }
            if Signals.shared.isJobEnding { return nameLostRank() }
            let (moment, now) = (activity.now, Stopwatch.now)
            if let heartbeat = communicator.heartbeat, board.withLock({ $0 == nil }) {
                if hears(heartbeat, beating: now - beatAt >= beatPeriod) { heardAt = now }
                if now - beatAt >= beatPeriod { beatAt = now }
            }
            // This process was itself stopped meanwhile, or the machine slept.
            let wasAsleep = now - before > max(2, timeout / 2)
            if moment.progress != last || wasAsleep { (last, since) = (moment.progress, now) }
            if wasAsleep { heardAt = now }
            before = now
            let idle = now - since
            guard idle >= timeout else { continue }
            if moment.phase != .waitingForRanks || communicator.size == 1 {
                end(
                    Culprit.text(
                        rank: communicator.rank, host: host, moment, idle: idle,
                        doing: moment.phase.description))
            } else if let statuses = board.withLock({ $0 }) {
                judge(statuses, moment)
            } else if let heartbeat = communicator.heartbeat,
                now - heardAt > max(2, 4 * beatPeriod)
            {
                name(heartbeat, moment, silence: now - heardAt)
            }
            // Another rank is busy and moving on: the wait is a healthy one.
            since = Stopwatch.now
        }
    }

    /// Gives a sign of life, if it is time to, and says whether the rank before this one has.
    private func hears(_ heartbeat: Heartbeat, beating isDue: Bool) -> Bool {
        do {
            if isDue { try heartbeat.beat() }
            return try heartbeat.hears()
        } catch {
            // What is wrong with MPI is told by the thread that trains.
            return false
        }
    }

    /// The rank before this one gives no signs of life, though this one waits for the others.
    private func name(_ heartbeat: Heartbeat, _ moment: Activity.Moment, silence: Double) {
        // Ranks that are well can hear each other; so at most a few speak, and they take turns.
        Thread.sleep(forTimeInterval: Double(min(communicator.rank, 8)))
        if activity.now.progress != moment.progress { return }
        end(
            Culprit.text(
                rank: heartbeat.before,
                host: heartbeat.hostBefore
                    ?? hosts[heartbeat.before] ?? "a host unknown",
                moment,
                idle: silence, doing: "stopped or cut off,"))
    }

    /// Looks at the others' statuses, which may lie in a file system that hangs.
    private func judge(_ statuses: RankStatuses, _ moment: Activity.Moment) {
        let done = DispatchSemaphore(value: 0)
        let shared = Verdict()
        DispatchQueue.global().async {
            let found = statuses.findCulprit()
            shared.value.withLock { $0 = found }
            done.signal()
        }
        guard done.wait(timeout: .now() + 4 * statuses.period + 10) == .success else {
            return end(
                Culprit.text(
                    rank: communicator.rank, host: host, moment, idle: timeout,
                    doing: "reading the output folder, which does not answer,"))
        }
        guard let culprit = shared.value.withLock({ $0 }),
            // Meanwhile this rank may have moved on after all.
            activity.now.progress == moment.progress
        else { return }
        // One speaks for all; should it be unable to, the next one does. Ranks that judge apart, as
        // on a busy machine, still take turns.
        Thread.sleep(forTimeInterval: Double(min(communicator.rank, 8)))
        end(culprit)
    }

    private final class Verdict: Sendable {
        let value = Mutex<String?>(nil)
    }

    /// The launcher is ending the job: if that is because a rank of this host is gone, one of the
    /// others says which.
    private func nameLostRank() {
        guard let culprit = board.withLock({ $0 })?.findLost(),
            culprit.speaker == communicator.rank, !isOver.load(ordering: .relaxed)
        else { return }
        leave()
        report(culprit.text)
    }

    /// Says it, unless another rank has done so and the launcher is ending the job.
    private func end(_ text: String) {
        if Signals.shared.isJobEnding || isOver.load(ordering: .relaxed) { return }
        leave()
        report(text)
    }

    /// Takes this rank's status away, so that nobody finds it lost; briefly, as the disk may hang.
    private func leave() {
        guard let statuses = board.withLock({ $0 }) else { return }
        let done = DispatchSemaphore(value: 0)
        DispatchQueue.global().async {
            statuses.end()
            done.signal()
        }
        _ = done.wait(timeout: .now() + 0.3)
    }
}
