import Collectives
import Foundation
import Synchronization

/// Ends the job when it no longer moves on, and says which rank is stuck in what.
///
/// Every rank has one, on a thread of its own. A rank that is itself stuck in reading, computing or
/// writing says so; a rank that waits for others looks at their notes.
final class Watchdog: Sendable {
    private let activity: Activity
    private let communicator: any Communicator
    private let board: StatusBoard
    private let host = ProcessInfo.processInfo.hostName
    private let timeout: Double
    private let period: Double
    private let isOver = Atomic<Bool>(false)
    private let report: @Sendable (String) -> Never

    /// Starts watching.
    ///
    /// - Parameters:
    ///   - output: The output folder, with an empty board.
    ///   - timeout: Seconds without progress on every rank after which the job ends.
    ///   - report: Says why, and ends the job.
    init(
        _ activity: Activity, communicator: any Communicator, output: String, timeout: Double,
        report: @escaping @Sendable (String) -> Never
    ) {
        self.activity = activity
        self.communicator = communicator
        self.timeout = timeout
        self.report = report
        period = min(30, max(0.1, timeout / 10))
        board = StatusBoard(output: output)
        // Before the first step: a rank that stops early can be named, too.
        post(activity.now, idle: 0, beat: 0)
        let thread = Thread { self.watch() }
        thread.name = "watchdog"
        thread.start()
    }

    /// Stops watching; the run is over.
    func end() {
        isOver.store(true, ordering: .relaxed)
        if communicator.size > 1 { board.remove(rank: communicator.rank) }
    }

    private func watch() {
        var last = activity.now
        var since = Date()
        var beat = 0
        while !isOver.load(ordering: .relaxed) {
            Thread.sleep(forTimeInterval: period)
            let now = activity.now
            if now.progress != last.progress { (last, since) = (now, Date()) }
            let idle = Date().timeIntervalSince(since)
            if isOver.load(ordering: .relaxed) { return }
            beat += 1
            post(now, idle: idle, beat: beat)
            guard idle >= timeout else { continue }
            if now.phase != .waitingForRanks || communicator.size == 1 {
                end(communicator.rank, host, now, idle)
            }
            if let culprit = findCulprit() { report(culprit) }
            // Another rank is busy and moving on: the wait is a healthy one.
            since = Date()
        }
    }

    private func post(_ moment: Activity.Moment, idle: Double, beat: Int) {
        guard communicator.size > 1 else { return }
        do {
            try board.post(
                StatusBoard.Note(
                    rank: communicator.rank, host: host, moment: moment, idleSeconds: idle,
                    beat: beat))
        } catch {
            // Without notes the ranks can still see that nothing moves, but not who is stuck.
            return
        }
    }

    private func end(
        _ rank: Int, _ host: String, _ moment: Activity.Moment, _ idle: Double
    ) -> Never {
        report(Self.text(rank, host, moment, idle: idle, doing: moment.phase.description))
    }

    private static func text(
        _ rank: Int, _ host: String, _ moment: Activity.Moment, idle: Double, doing: String
    ) -> String {
        String(
            format: "rank %d on %@ is stuck in stage %@, step %d, %@, for %.0f s; the last "
                + "checkpoint is intact: look at that host and run again", rank, host,
            moment.stage.rawValue, moment.step + 1, doing, idle)
    }

    /// Looks at the others' notes twice: whose no longer changes is stopped or cut off.
    ///
    /// - Returns: What to say, or nil where a rank is at work.
    private func findCulprit() -> String? {
        let others = (0..<communicator.size).filter { $0 != communicator.rank }
        let before = others.map { board.note(of: $0) }
        // Whoever is stuck in something of its own has the time to say so itself.
        Thread.sleep(forTimeInterval: 4 * period)
        let after = others.map { board.note(of: $0) }
        for (rank, notes) in zip(others, zip(before, after)) {
            guard let note = notes.1 else {
                return "rank \(rank) has given no sign for \(Int(timeout)) s; the last checkpoint "
                    + "is intact: look at its host and run again"
            }
            if notes.0?.beat == note.beat {
                return Self.text(
                    rank, note.host, note.moment, idle: timeout,
                    doing: "stopped or cut off while " + note.moment.phase.description)
            }
        }
        for case let note? in after where note.moment.phase != .waitingForRanks {
            guard note.idleSeconds >= timeout else { return nil }
            return Self.text(
                note.rank, note.host, note.moment, idle: note.idleSeconds,
                doing: note.moment.phase.description)
        }
        // All wait for each other.
        guard activity.now.phase == .waitingForRanks,
            after.allSatisfy({ ($0?.idleSeconds ?? 0) >= timeout / 2 })
        else { return nil }
        return "all ranks wait for each other since \(Int(timeout)) s, in step "
            + "\(activity.now.step + 1) of stage \(activity.now.stage.rawValue); the last "
            + "checkpoint is intact: look at the network and run again"
    }
}
