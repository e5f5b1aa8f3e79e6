import Collectives

/// The ranks, with a record of when this one waits for the others.
struct WatchedCommunicator: Communicator {
    let base: any Communicator
    let activity: Activity
    /// For whoever is told that a rank cannot be reached.
    var hosts = RankHosts()

    var rank: Int { base.rank }
    var size: Int { base.size }
    var heartbeat: Heartbeat? { base.heartbeat }

    func sum(_ values: UnsafeMutableBufferPointer<Float>) throws(CollectiveError) {
        try waiting { () throws(CollectiveError) in try base.sum(values) }
    }

    func sum(_ values: UnsafeMutableBufferPointer<Double>) throws(CollectiveError) {
        try waiting { () throws(CollectiveError) in try base.sum(values) }
    }

    func beginSum(_ values: UnsafeMutableBufferPointer<Float>) { base.beginSum(values) }

    func finishSums() throws(CollectiveError) -> Double {
        try waiting { () throws(CollectiveError) in try base.finishSums() }
    }

    func barrier() throws(CollectiveError) {
        try waiting { () throws(CollectiveError) in try base.barrier() }
    }

    func abort(exitCode: Int32) -> Never { base.abort(exitCode: exitCode) }

    func finish() throws(CollectiveError) { try base.finish() }

    private func waiting<Value>(
        _ body: () throws(CollectiveError) -> Value
    ) throws(CollectiveError) -> Value {
        let result = activity.during(.waitingForRanks) { () -> Result<Value, CollectiveError> in
            do throws(CollectiveError) { return .success(try body()) } catch {
                return .failure(error)
            }
        }
        do throws(CollectiveError) { return try result.get() } catch {
            guard let partner = error.partner, let host = hosts[partner] else { throw error }
            throw CollectiveError(
                description: "\(error.description); rank \(partner) is on \(host): look at that "
                    + "host and run again", partner: partner)
        }
    }
}
