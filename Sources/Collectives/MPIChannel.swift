import CMPI
import Foundation
import Synchronization
import Tensors

/// A communicator of MPI for one thread: what it sends meets only the same channel's receptions.
final class MPIChannel: @unchecked Sendable {
    let rank: Int
    let size: Int
    let communicator: MPI_Comm
    let lock: MPILock
    /// Whether the thread that waits on this channel leaves its core to others between two polls.
    let isPatient = Atomic<Bool>(false)

    /// Opens a channel between all ranks; all of them do so together.
    init(_ lock: MPILock) throws(CollectiveError) {
        self.lock = lock
        var duplicate = saccader_no_communicator()
        try lock.call("duplicating the communicator") {
            MPI_Comm_dup(saccader_world(), &duplicate)
        }
        guard let duplicate else { throw CollectiveError(description: "MPI gave no communicator") }
        communicator = duplicate
        try lock.call("setting MPI's errors") {
            MPI_Comm_set_errhandler(duplicate, saccader_errors_return())
        }
        var (rank, size) = (Int32(0), Int32(0))
        try lock.call("asking for the rank") { MPI_Comm_rank(duplicate, &rank) }
        try lock.call("asking for the size") { MPI_Comm_size(duplicate, &size) }
        (self.rank, self.size) = (Int(rank), Int(size))
    }

    func barrier() throws(CollectiveError) {
        var request = saccader_no_request()
        let what = "waiting for the other ranks"
        try lock.call(what) { MPI_Ibarrier(communicator, &request) }
        try wait(for: [request], what)
    }

    func abort(exitCode: Int32) -> Never {
        // On a host that is cut off MPI_Abort waits for an answer of mpirun.
        do {
            try WorkerThread.start("patience") {
                Thread.sleep(forTimeInterval: 10)
                _exit(exitCode)
            }
        } catch {
            // Without a thread the system sees to the end.
            alarm(10)
        }
        lock.lastCall { MPI_Abort(self.communicator, exitCode) }
        exit(exitCode)
    }

    /// Sends and receives at the same time; a piece fits MPI's 32-bit counts.
    func exchange<Number: BitwiseCopyable>(
        _ send: UnsafeMutablePointer<Number>, _ sendCount: Int,
        _ receive: UnsafeMutablePointer<Number>, _ receiveCount: Int, with partner: Int
    ) throws(CollectiveError) {
        let stride = MemoryLayout<Number>.stride
        var requests: [MPI_Request?] = []
        if receiveCount > 0 {
            var request = saccader_no_request()
            try lock.call("receiving from rank \(partner)") {
                MPI_Irecv(
                    receive, Int32(receiveCount * stride), saccader_byte(), Int32(partner), 0,
                    communicator, &request)
            }
            requests.append(request)
        }
        if sendCount > 0 {
            var request = saccader_no_request()
            try lock.call("sending to rank \(partner)") {
                MPI_Isend(
                    send, Int32(sendCount * stride), saccader_byte(), Int32(partner), 0,
                    communicator, &request)
            }
            requests.append(request)
        }
        do throws(CollectiveError) {
            try wait(for: requests, "exchanging with rank \(partner)")
        } catch {
            throw CollectiveError(description: error.description, partner: partner)
        }
    }

    /// Looks until all is done.
    private func wait(
        for pending: [MPI_Request?], _ what: @autoclosure () -> String
    ) throws(CollectiveError) {
        var requests = pending
        var isDone: Int32 = 0
        var polls = 0
        while true {
            try lock.call(what()) {
                MPI_Testall(
                    Int32(requests.count), &requests, &isDone, saccader_ignore_statuses())
            }
            if isDone != 0 { return }
            polls += 1
            if isPatient.load(ordering: .relaxed) {
                // Soon at first: most messages are short.
                usleep(UInt32(min(200, 10 * polls)))
            }
        }
    }
}
