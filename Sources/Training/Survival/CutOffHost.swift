/// The host that the others cannot reach, where all ranks wait for each other.
struct CutOffHost: Equatable {
    let host: String
    /// Where it may as well be the other one.
    let other: String?

    /// Judges by whom the hosts get no answer from: nil where all answer.
    init?(_ statuses: [StatusBoard.Status]) {
        var hosts: [String: String] = [:]
        for status in statuses {
            for address in status.addresses { hosts[address] = status.host }
        }
        // Who accuses whom; a rank on the host that is cut off gets no answers either.
        var accusers: [String: Set<String>] = [:]
        for status in statuses {
            for address in status.unanswered {
                guard let accused = hosts[address], accused != status.host else { continue }
                accusers[accused, default: []].insert(status.host)
            }
        }
        let order = accusers.sorted { ($0.value.count, $1.key) > ($1.value.count, $0.key) }
        guard let first = order.first else { return nil }
        host = first.key
        let second = order.dropFirst().first
        let isClear =
            second.map { first.value.count > $0.value.count || $0.key == first.key } ?? true
        // Of two hosts each hears nothing of the other.
        other = isClear ? nil : second?.key
    }
}
