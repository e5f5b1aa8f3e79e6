import Foundation
import Synchronization

/// The threads of one rank: the caller and `threadCount - 1` workers that wait for work.
///
/// Which thread runs which piece never matters: each piece writes its own place, and sums over
/// pieces follow a fixed order afterwards.
public final class ThreadPool: Sendable {
    /// How many threads work, the caller included: fewer than were asked for where the system
    /// starts no more.
    public let threadCount: Int
    /// What to tell where they are fewer; else nil.
    public let warning: String?
    private let board: Board
    private let runCount = Atomic<Int>(0)

    /// How often the pool has been given work: while it rises, something moves on.
    public var workCount: Int { runCount.load(ordering: .relaxed) }

    /// What is to be done now, seen by all workers.
    private final class Board: @unchecked Sendable {
        let condition = NSCondition()
        var generation = 0
        var busyWorkers = 0
        var stopping = false
        /// Workers from this number on end: the process needs the room.
        var workerLimit = Int.max
        var endedCount = 0
        var pieceCount = 0
        var body: ((Int, Int) -> Void)?
        let nextPiece = Atomic<Int>(0)

        /// Ends the workers from `count` of `started` on, and waits for the room that they leave.
        func limit(to count: Int, of started: Int) {
            condition.lock()
            workerLimit = count
            condition.broadcast()
            while endedCount < started - count { condition.wait() }
            condition.unlock()
            // The system takes their stacks back a moment later.
            usleep(200_000)
        }

        func work(as worker: Int) {
            guard let body else { return }
            while true {
                let piece = nextPiece.wrappingAdd(1, ordering: .relaxed).oldValue
                if piece >= pieceCount { return }
                body(piece, worker)
            }
        }

        func runWorker(_ worker: Int) {
            var seen = 0
            while true {
                condition.lock()
                while generation == seen && !stopping && worker < workerLimit { condition.wait() }
                if stopping || worker >= workerLimit {
                    endedCount += 1
                    condition.broadcast()
                    condition.unlock()
                    return
                }
                seen = generation
                condition.unlock()
                work(as: worker)
                condition.lock()
                busyWorkers -= 1
                if busyWorkers == 0 { condition.broadcast() }
                condition.unlock()
            }
        }
    }

    /// Starts the workers.
    public init(threadCount: Int) {
        Contract.require(threadCount >= 1, "a pool has at least one thread")
        let board = Board()
        self.board = board
        var (started, warning): (Int, String?) = (1, nil)
        while started < threadCount {
            let worker = started
            do {
                try WorkerThread.start("worker \(worker)") {
                    MatrixMultiply.useOneThread()
                    board.runWorker(worker)
                }
            } catch {
                // Whoever starts all that there can be leaves nothing for what comes later.
                let kept = max(1, started / 2)
                board.limit(to: kept, of: started)
                started = kept
                warning = "\(started) of \(threadCount) threads: \(error)"
                break
            }
            started += 1
        }
        (self.threadCount, self.warning) = (started, warning)
    }

    deinit {
        board.condition.lock()
        board.stopping = true
        board.condition.broadcast()
        board.condition.unlock()
    }

    /// Runs `body(piece, worker)` for every piece in `0..<count` and returns when all are done.
    ///
    /// `worker` is below `threadCount` and used by one piece at a time: it names scratch memory.
    public func run(_ count: Int, _ body: (_ piece: Int, _ worker: Int) -> Void) {
        runCount.add(1, ordering: .relaxed)
        if threadCount == 1 || count <= 1 {
            for piece in 0..<count { body(piece, 0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            let board = self.board
            board.condition.lock()
            // Two works would share scratch memory.
            Contract.require(board.body == nil, "a pool runs one thing at a time")
            board.body = body
            board.pieceCount = count
            board.nextPiece.store(0, ordering: .relaxed)
            board.busyWorkers = threadCount - 1
            board.generation += 1
            board.condition.broadcast()
            board.condition.unlock()
            board.work(as: 0)
            board.condition.lock()
            while board.busyWorkers > 0 { board.condition.wait() }
            board.body = nil
            board.condition.unlock()
        }
    }

    /// Divides `0..<count` into near-equal contiguous ranges, one per thread, and runs them.
    public func runRanges(_ count: Int, _ body: (Range<Int>) -> Void) {
        run(threadCount) { piece, _ in
            let range = (count * piece / threadCount)..<(count * (piece + 1) / threadCount)
            if !range.isEmpty { body(range) }
        }
    }
}
