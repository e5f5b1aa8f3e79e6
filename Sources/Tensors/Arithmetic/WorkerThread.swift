import CThreads
import Foundation

/// A thread that the system would not start.
public struct ThreadError: Error, CustomStringConvertible {
    /// What `pthread_create` said.
    public let code: Int32

    /// One line: what, where, what to do next.
    public var description: String {
        "no thread could be started (\(String(cString: strerror(code)))): this process may have no "
            + "more of them, or no more memory; raise the limits (ulimit -u, ulimit -v, the job's "
            + "pids.max) or give fewer --threads"
    }
}

/// Threads, each of which runs for certain or is said not to.
public enum WorkerThread {
    private final class Work {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            (self.name, self.body) = (name, body)
        }
    }

    /// Starts a thread that nobody waits for.
    ///
    /// - Parameter name: At most 15 bytes, for whoever looks at the process.
    public static func start(
        _ name: String, _ body: @escaping @Sendable () -> Void
    ) throws(ThreadError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 8 << 20)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let work = Unmanaged.passRetained(Work(name, body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
                let stack = WorkerThread.useSignalStack()
                saccader_name_thread(work.name)
                work.body()
                WorkerThread.giveBack(stack)
                return nil
            }, work.toOpaque())
        if code != 0 {
            work.release()
            throw ThreadError(code: code)
        }
    }

    /// Gives this thread a stack for handlers of signals, which say something even where its own
    /// has overflown.
    ///
    /// - Returns: Its memory, to be given back before the thread ends.
    @discardableResult
    public static func useSignalStack() -> UnsafeMutableRawPointer? {
        let size = 64 << 10
        var stack = stack_t()
        stack.ss_sp = malloc(size)
        stack.ss_size = size
        if stack.ss_sp != nil { sigaltstack(&stack, nil) }
        return stack.ss_sp
    }

    private static func giveBack(_ signalStack: UnsafeMutableRawPointer?) {
        var none = stack_t()
        none.ss_flags = Int32(SS_DISABLE)
        sigaltstack(&none, nil)
        free(signalStack)
    }

    /// Refuses to go on where fewer than `count` more threads can be started: libraries that need
    /// one later would wait for ever, or end the process.
    public static func requireThreads(_ count: Int) throws(ThreadError) {
        let gate = NSCondition()
        let isOpen = Gate()
        defer {
            gate.lock()
            isOpen.value = true
            gate.broadcast()
            gate.unlock()
        }
        for _ in 0..<count {
            try start("spare") {
                gate.lock()
                while !isOpen.value { gate.wait() }
                gate.unlock()
            }
        }
    }

    /// Read and written under a lock.
    private final class Gate: @unchecked Sendable {
        var value = false
    }

    /// Gives this process the cores that it was started with: OpenMP's library, which others bring
    /// along, binds it to one core where `OMP_PROC_BIND` is set. Called before threads are started.
    public static func useStartingCores() { _ = saccader_use_starting_cores() }
}
