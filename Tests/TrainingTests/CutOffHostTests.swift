import Foundation
import Testing

@testable import Training

/// Which host is cut off, by what each host's kernel says of its connections.
@Suite struct CutOffHostTests {
    private static let idle = """
        0100000A:1F90 0300000A:C350 01 00000000:00000000 00:00000000 00000000 0 0 1 1
        """

    @Test func aConnectionIsRead() throws {
        let quiet = try #require(TCPConnection("  3: \(Self.idle)"))
        #expect(quiet == TCPConnection("  3: \(Self.idle)"))
        #expect(quiet.local == "0100000A" && quiet.remote == "0300000A" && !quiet.isUnanswered)
        let waiting = Self.idle.replacingOccurrences(
            of: "00000000:00000000 00:00000000 00000000",
            with: "00000A10:00000000 01:0000002E 00000005")
        #expect(TCPConnection("  4: \(waiting)")?.isUnanswered == true)
        // A listener, the host itself, and what is no line.
        #expect(TCPConnection("  0: 00000000:0016 00000000:0000 0A 0:0 0:0 0 0 0 1 1") == nil)
        #expect(TCPConnection("  0: 0100007F:0016 0100007F:0099 01 0:0 0:0 0 0 0 1 1") == nil)
        #expect(TCPConnection("text") == nil)
    }

    private func status(
        _ rank: Int, unanswered: [Int]
    ) -> StatusBoard.Status {
        StatusBoard.Status(
            rank: rank, host: "node\(rank)", process: 1,
            moment: Activity.Moment(phase: .waitingForRanks, stage: "joint", step: 3, progress: 9),
            idleSeconds: 10, beat: 4, addresses: ["A\(rank)"],
            unanswered: unanswered.map { "A\($0)" })
    }

    /// Of four hosts the third is cut off: it accuses its partner, which accuses it, as others do.
    @Test func theHostThatMostAccuseIsCutOff() {
        let cut = CutOffHost([
            status(0, unanswered: [2]), status(1, unanswered: []), status(2, unanswered: [3]),
            status(3, unanswered: [2]),
        ])
        #expect(cut?.host == "node2" && cut?.other == nil)
    }

    @Test func ofTwoHostsItMayBeEither() {
        let cut = CutOffHost([status(0, unanswered: [1]), status(1, unanswered: [0])])
        #expect(Set([cut?.host, cut?.other]) == ["node0", "node1"])
    }

    @Test func whereAllAnswerNobodyIs() {
        #expect(CutOffHost([status(0, unanswered: []), status(1, unanswered: [])]) == nil)
        // An address that no rank has, as that of a file server.
        #expect(CutOffHost([status(0, unanswered: [7]), status(1, unanswered: [])]) == nil)
    }
}
