import Configuration
import Terminal

/// The numbers of glimpses that a report tells: `1...20`, `6` or `1,2,4,6`.
public struct GlimpseList: Sendable {
    /// The numbers of glimpses, in increasing order.
    public let counts: [Int]

    /// Counts in increasing order.
    init(_ counts: [Int]) { self.counts = counts }

    /// Parses the words of the command line.
    public init(_ text: String) throws(RequestError) {
        let wrong = RequestError(
            "--glimpses: \"\(text)\" is no list of counts; write 1...20, 6 or 1,2,4,6")
        var counts: Set<Int> = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = word.split(separator: ".", omittingEmptySubsequences: true).map { Int($0) }
            let isRange = word.contains("...")
            guard ends.count == (isRange ? 2 : 1), let first = ends[0],
                let last = ends[ends.count - 1],
                first >= 1, first <= last, last <= 100_000
            else { throw wrong }
            counts.formUnion(first...last)
        }
        self.counts = counts.sorted()
    }

    /// The largest.
    public var most: Int { counts[counts.count - 1] }

    /// The numbers of glimpses of a table that fits a terminal, at most eight.
    var shown: [Int] {
        if counts.count <= 8 { return counts }
        let usual = [1, 2, 4, 6, 8, 12, 16].filter(counts.contains)
        return usual.filter { $0 < most } + [most]
    }
}
