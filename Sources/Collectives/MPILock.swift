import CMPI
import Foundation
import Synchronization
import Tensors

/// Lets one thread at a time into MPI (`MPI_THREAD_SERIALIZED`).
///
/// No call waits inside MPI: a thread asks whether something has arrived and gives the lock back,
/// so that two threads can wait for different things at the same time. The calls of one also move
/// the other's messages on. A library that lets several threads wait inside itself is not needed.
final class MPILock: Sendable {
    private let lock = Mutex(())
    /// The first error. What was under way then is under way still: any further call could move it
    /// on, into memory that its owner has given back meanwhile.
    private let failure = Atomic<Int32>(MPI_SUCCESS)

    /// Makes one call of MPI.
    ///
    /// - Parameter what: What is done, for the error.
    func call(_ what: @autoclosure () -> String, _ body: () -> Int32) throws(CollectiveError) {
        try check(lock.withLock { _ in made(body) }, what)
    }

    /// Makes a call, unless one has failed before: then that one's error is this one's. The lock is
    /// held.
    private func made(_ body: () -> Int32) -> Int32 {
        let before = failure.load(ordering: .relaxed)
        if before != MPI_SUCCESS { return before }
        let status = body()
        failure.store(status, ordering: .relaxed)
        return status
    }

    /// Makes one call of MPI, unless another thread does not give the lock back.
    ///
    /// - Returns: Whether it was made.
    @discardableResult func callUnlessStuck(
        _ what: @autoclosure () -> String, _ body: () -> Int32
    ) throws(CollectiveError) -> Bool {
        // A thread that waits for others has the lock most of the time, and gives it back often.
        for _ in 0..<2000 {
            if let status = lock.withLockIfAvailable({ _ in made(body) }) {
                try check(status, what)
                return true
            }
            usleep(100)
        }
        return false
    }

    private func check(_ status: Int32, _ what: () -> String) throws(CollectiveError) {
        guard status != MPI_SUCCESS else { return }
        var text = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING) + 1)
        var length: Int32 = 0
        MPI_Error_string(status, &text, &length)
        let reason = String(
            decoding: text.prefix(Int(length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        throw CollectiveError(description: "\(what()) failed: \(reason)")
    }

    /// Makes a last call, even where another thread hangs inside MPI.
    func lastCall(_ body: @escaping @Sendable () -> Void) {
        let done = DispatchSemaphore(value: 0)
        do {
            try WorkerThread.start("last call") {
                self.lock.withLock { _ in body() }
                done.signal()
            }
        } catch {
            return body()
        }
        if done.wait(timeout: .now() + 1) == .timedOut { body() }
    }
}
