import Foundation
import Synchronization
import Tensors

/// A rank that crashes says so, with its rank, and ends the job with the contract's exit code.
public enum LastWords {
    private static let signals: [(number: Int32, what: String)] = [
        (SIGSEGV, "SIGSEGV, a wrong memory access or a stack that is too small"),
        (SIGILL, "SIGILL, a failed check"),
        (SIGTRAP, "SIGTRAP, a failed check"), (SIGABRT, "SIGABRT, an abort in a library"),
        (SIGFPE, "SIGFPE, a wrong division"),
        (SIGBUS, "SIGBUS; if /dev/shm or the disk is full: saccader-dist doctor"),
    ]
    private static let exitCode = TrainingError.rankLostExitCode

    /// What a handler needs, ready: it may not make anything.
    private final class Prepared: Sendable {
        private let addresses = Atomic<Int>(0)
        private let statusFileAddress = Atomic<Int>(0)
        static let shared = Prepared()
        static let count = 64

        /// The lines, by signal number; kept for as long as the process lives.
        func set(_ lines: [Int32: String]) {
            let table = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(
                capacity: Self.count)
            table.initialize(repeating: nil, count: Self.count)
            for (number, line) in lines { table[Int(number)] = UnsafePointer(strdup(line)) }
            addresses.store(Int(bitPattern: table), ordering: .releasing)
        }

        /// The file by which other ranks would find this one lost.
        var statusFile: UnsafePointer<CChar>? {
            UnsafePointer(bitPattern: statusFileAddress.load(ordering: .acquiring))
        }

        func setStatusFile(_ path: String) {
            statusFileAddress.store(Int(bitPattern: strdup(path)), ordering: .releasing)
        }

        func line(_ number: Int32) -> UnsafePointer<CChar>? {
            let table = UnsafePointer<UnsafePointer<CChar>?>(
                bitPattern: addresses.load(ordering: .acquiring))
            return table?[Int(number)]
        }
    }

    /// A file that goes away when this rank crashes, so that no other rank tells of its loss too.
    static func take(away statusFile: String) { Prepared.shared.setStatusFile(statusFile) }

    /// Tells of crashes from now on.
    ///
    /// - Parameter rank: This rank, of several.
    public static func prepare(rank: Int) {
        let host = ProcessInfo.processInfo.hostName
        Prepared.shared.set(
            Dictionary(
                uniqueKeysWithValues: signals.map {
                    (
                        $0.number,
                        "saccader-dist: rank \(rank) on \(host) crashed (\($0.what)); the last checkpoint is "
                            + "intact: run again to go on\n"
                    )
                }))
        // Threads that are started from now on have one of their own.
        WorkerThread.useSignalStack()
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { number in
            if let line = Prepared.shared.line(number) {
                write(STDERR_FILENO, line, strlen(line))
            }
            // What there is to say has been said; a disk that hangs holds the end up for a second.
            alarm(1)
            if let statusFile = Prepared.shared.statusFile { unlink(statusFile) }
            _exit(LastWords.exitCode)
        }
        // Once: a fault in the handler ends the process.
        action.sa_flags = Int32(bitPattern: UInt32(SA_RESETHAND)) | SA_ONSTACK
        for (number, _) in signals { sigaction(number, &action, nil) }
    }
}
