import Foundation
import Synchronization
import Tensors

/// Which rank holds up the others, and who should say so.
struct Culprit: Sendable {
    let text: String
    /// The first rank that is well.
    let speaker: Int

    static func text(
        rank: Int, host: String, _ moment: Activity.Moment, idle: Double, doing: String
    ) -> String {
        String(
            format: "rank %d on %@ is stuck %@, %@ for %.0f s; %@look at that host and run again",
            rank, host, moment.place, doing, idle,
            moment.stage == nil ? "" : "the last checkpoint is intact: ")
    }
}

/// This rank's status among those of the others.
final class RankStatuses: Sendable {
    /// Seconds between two statuses.
    let period: Double
    private let activity: Activity
    private let rank: Int
    private let size: Int
    private let host: String
    private let hosts: [String]
    private let timeout: Double
    private let board: StatusBoard
    private let isOver = Atomic<Bool>(false)

    /// Posts the first status, and goes on doing so on a thread of its own.
    ///
    /// - Parameter hosts: By rank.
    init(
        _ activity: Activity, rank: Int, hosts: [String], output: String, timeout: Double
    ) throws(ThreadError) {
        self.activity = activity
        (self.rank, self.size, self.host) = (rank, hosts.count, hosts[rank])
        self.hosts = hosts
        self.timeout = timeout
        period = min(30, max(0.1, timeout / 10))
        board = StatusBoard(output: output)
        LastWords.take(away: board.path(rank))
        post(idle: 0, beat: 0)
        try WorkerThread.start("statuses") { self.keepPosting() }
    }

    /// Takes the status away.
    func end() {
        isOver.store(true, ordering: .relaxed)
        board.remove(rank: rank)
    }

    private func keepPosting() {
        var (last, since) = (activity.now.progress, Stopwatch.now)
        var beat = 0
        while true {
            Thread.sleep(forTimeInterval: period)
            if isOver.load(ordering: .relaxed) { return }
            let progress = activity.now.progress
            if progress != last { (last, since) = (progress, Stopwatch.now) }
            beat += 1
            post(idle: Stopwatch.now - since, beat: beat)
            // A status that came after the end would stay.
            if isOver.load(ordering: .relaxed) { board.remove(rank: rank) }
        }
    }

    private func post(idle: Double, beat: Int) {
        // Only who waits has a use for it.
        let connections = idle > 0 ? TCPConnection.all() : []
        do {
            try board.post(
                StatusBoard.Status(
                    rank: rank, host: host, process: getpid(), moment: activity.now,
                    idleSeconds: idle, beat: beat, addresses: connections.map(\.local),
                    unanswered: connections.filter(\.isUnanswered).map(\.remote)))
        } catch {
            // Without statuses the ranks can still see that nothing moves, but not who is stuck.
            return
        }
    }

    private func statuses() -> [StatusBoard.Status?] { (0..<size).map { board.status(of: $0) } }

    /// Looks at the statuses twice: whose no longer changes is stopped or cut off.
    ///
    /// - Returns: Nil where a rank is at work.
    func findCulprit() -> String? {
        let before = statuses()
        // Whoever is stuck in something of its own has the time to say so itself.
        Thread.sleep(forTimeInterval: max(2, 4 * period))
        let after = statuses()
        let silent = (0..<size).filter {
            $0 != rank && (after[$0] == nil || before[$0]?.beat == after[$0]?.beat)
        }
        if let first = silent.first {
            guard let status = after[first] else {
                return Culprit.text(
                    rank: first, host: hosts[first], activity.now, idle: timeout,
                    doing: "stopped or cut off before it has given any sign,")
            }
            // Its status may be older than the step that it and this rank are in.
            return Culprit.text(
                rank: first, host: status.host, activity.now, idle: timeout,
                doing: "stopped or cut off, last seen \(status.moment.phase.description),")
        }
        for case let status? in after where status.moment.phase != .waitingForRanks {
            guard status.idleSeconds >= timeout else { return nil }
            return Culprit.text(
                rank: status.rank, host: status.host, status.moment, idle: status.idleSeconds,
                doing: status.moment.phase.description)
        }
        guard after.allSatisfy({ ($0?.idleSeconds ?? 0) >= timeout / 2 }) else { return nil }
        if let cut = CutOffHost(after.compactMap { $0 }) {
            let other = cut.other.map { " or \($0), which do not hear each other" } ?? ""
            return Culprit.text(
                rank: hosts.firstIndex(of: cut.host) ?? 0, host: cut.host + other, activity.now,
                idle: timeout, doing: "cut off: messages to it stay unanswered,")
        }
        return "all ranks wait for each other since \(Int(timeout)) s, \(activity.now.place); the "
            + "last checkpoint is intact: look at the network and run again"
    }

    /// A rank of this host whose process is gone.
    func findLost() -> Culprit? {
        let here = statuses().compactMap { $0 }.filter { $0.host == host }
        // A process that has ended is there until its parent has noticed.
        let lost = here.filter { kill($0.process, 0) != 0 && errno == ESRCH }
        guard let first = lost.first,
            let speaker = here.first(where: { status in
                !lost.contains { $0.rank == status.rank }
            })
        else { return nil }
        // Its status may be older than the step that it and this rank were in.
        return Culprit(
            text: "rank \(first.rank) on \(first.host) was lost (process \(first.process) is gone) "
                + "\(activity.now.place); the last checkpoint is intact: run again to go on",
            speaker: speaker.rank)
    }
}
