import Foundation
import Synchronization

/// On which host each rank is.
final class RankHosts: Sendable {
    private let names = Mutex<[String]>([])

    /// By rank; none before all have told.
    var all: [String] { names.withLock { $0 } }

    /// Takes note of what all have told.
    func learn(_ hosts: [String]) { names.withLock { $0 = hosts } }

    /// A rank's host; nil where it is not known: before all have told, only this host's processes
    /// can be looked at.
    subscript(rank: Int) -> String? {
        let known = all
        if known.indices.contains(rank) { return known[rank] }
        return HostProcess.siblings().contains { $0.rank == rank }
            ? ProcessInfo.processInfo.hostName : nil
    }
}
