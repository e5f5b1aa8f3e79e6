import Dispatch
import Foundation
import Tensors

/// Forms sums one after the other on a thread of its own, which starts with the first.
///
/// While the caller computes, the thread leaves it the core between two polls of what has arrived;
/// as soon as the caller waits, it polls all the time.
final class BackgroundSum: @unchecked Sendable {
    private let channel: MPIChannel
    private let condition = NSCondition()
    // All below belongs to whoever holds the condition.
    private var queue: [UnsafeMutableBufferPointer<Float>] = []
    private var isStarted = false
    private var isAtWork = false
    private var busyNanoseconds: UInt64 = 0
    private var failure: CollectiveError?

    init(_ channel: MPIChannel) { self.channel = channel }

    /// Adds a vector to what is to be summed.
    func add(_ values: UnsafeMutableBufferPointer<Float>) {
        condition.lock()
        defer { condition.unlock() }
        if queue.isEmpty && !isAtWork { channel.isPatient.store(true, ordering: .relaxed) }
        queue.append(values)
        condition.signal()
        if isStarted { return }
        do {
            try WorkerThread.start("gradients") { self.work() }
            isStarted = true
        } catch {
            // The caller forms the sums when it waits for them: the same bits, later.
            return
        }
    }

    /// Waits for all of them, and says how many seconds the thread was at work.
    func finish() throws(CollectiveError) -> Double {
        channel.isPatient.store(false, ordering: .relaxed)
        condition.lock()
        defer { condition.unlock() }
        while !isStarted, failure == nil, let values = takeNext() { form(values) }
        while isAtWork || (!queue.isEmpty && failure == nil) { condition.wait() }
        if let failure { throw failure }
        defer { busyNanoseconds = 0 }
        return Double(busyNanoseconds) * 1e-9
    }

    private func work() {
        condition.lock()
        while failure == nil {
            guard let values = takeNext() else {
                condition.wait()
                continue
            }
            form(values)
        }
        condition.unlock()
    }

    private func takeNext() -> UnsafeMutableBufferPointer<Float>? {
        queue.isEmpty ? nil : queue.removeFirst()
    }

    /// Forms one sum, for which the condition is given up.
    private func form(_ values: UnsafeMutableBufferPointer<Float>) {
        isAtWork = true
        condition.unlock()
        let start = DispatchTime.now().uptimeNanoseconds
        var error: CollectiveError?
        do throws(CollectiveError) { try channel.treeSum(values) } catch let found {
            error = found
        }
        let elapsed = DispatchTime.now().uptimeNanoseconds - start
        condition.lock()
        isAtWork = false
        busyNanoseconds += elapsed
        failure = error
        // The caller waits for the last one.
        if queue.isEmpty || failure != nil { condition.broadcast() }
    }
}
