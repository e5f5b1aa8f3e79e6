import Testing

@testable import Training

/// What ranks wait for, against waits made up by hand.
@Suite struct RankWaitsTests {
    @Test func theLastRankWaitsForTheSumAlone() {
        // Rank 1 is late by 3 for the first sum, rank 0 by 5 for the second; each sum takes 1.
        let waits = RankWaits(norms: [[4, 1], [1, 6]], gradients: [0.5, 1.5])
        #expect(waits.normSeconds == 6)
        #expect(waits.imbalanceSeconds == 4)
        #expect(waits.gradientSeconds == 1)
        #expect(waits.seconds == 7)
    }

    @Test func oneRankHasNobodyToWaitFor() {
        let waits = RankWaits(norms: [[0.25, 0.25]], gradients: [0])
        #expect(waits.normSeconds == 0.5 && waits.imbalanceSeconds == 0)
    }
}
