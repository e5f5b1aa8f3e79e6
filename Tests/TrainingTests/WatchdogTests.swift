import Collectives
import Foundation
import Synchronization
import Testing

@testable import Training

@Suite struct WatchdogTests {
    private final class Report: Sendable {
        let text = Mutex<String?>(nil)
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
