import Collectives
import Foundation
import Synchronization
import Testing

@testable import Training

@Suite struct WatchdogTests {
    private final class Report: Sendable {
        let text = Mutex<String?>(nil)
    }

    /// Ranks of which one is no longer reached.
    private struct Broken: Communicator {
        let rank = 0
        let size = 3
        var heartbeat: Heartbeat? { nil }

        private func fail() throws(CollectiveError) -> Never {
            throw CollectiveError(description: "exchanging with rank 2 failed", partner: 2)
        }

        func sum(_ values: UnsafeMutableBufferPointer<Float>) throws(CollectiveError) { try fail() }
        func sum(_ values: UnsafeMutableBufferPointer<Double>) throws(CollectiveError) {
            try fail()
        }
        func beginSum(_ values: UnsafeMutableBufferPointer<Float>) {}
        func finishSums() throws(CollectiveError) -> Double { try fail() }
        func barrier() throws(CollectiveError) { try fail() }
        func abort(exitCode: Int32) -> Never { exit(exitCode) }
        func finish() throws(CollectiveError) {}
    }

    /// MPI notices a host that is cut off before the run's time is over: it is named all the same.
    @Test func aRankThatIsNotReachedHasAHost() throws {
        let hosts = RankHosts()
        let ranks = WatchedCommunicator(base: Broken(), activity: Activity(), hosts: hosts)
        func text() -> String {
            do throws(CollectiveError) {
                try ranks.barrier()
                return "no error"
            } catch { return error.description }
        }
        #expect(text() == "exchanging with rank 2 failed")
        hosts.learn(["a", "b", "c"])
        #expect(
            text()
                == "exchanging with rank 2 failed; rank 2 is on c: look at that host and run again")
    }

    @Test func aRankThatHangsAtTheStartSaysInWhat() throws {
        let (activity, report) = (Activity(), Report())
        let watchdog = Watchdog(activity, communicator: SoloCommunicator(), timeout: 0.5) {
            text in
            report.text.withLock { $0 = text }
            while true { sleep(1000) }
        }
        try watchdog.start()
        activity.during(.listingImages) {
            let deadline = Date() + 30
            while Date() < deadline, report.text.withLock({ $0 == nil }) { usleep(10_000) }
        }
        watchdog.end()
        let host = ProcessInfo.processInfo.hostName
        #expect(
            report.text.withLock { $0 }?.hasPrefix(
                "rank 0 on \(host) is stuck at the start, listing the images for ") == true)
    }
}
