import Testing

@testable import Training

/// The scaling model against sums done by hand.
@Suite struct ScalingModelTests {
    private static let piece = 4_194_304
    /// Three pieces and a half of gradients, one sum of 100 and one of 65,536 bytes.
    private static let model = ScalingModel(
        stepSeconds: 1, gradientByteCount: 7 * piece / 2, slackSeconds: [0.5, 0.3, 0.01, 0],
        normByteCounts: [100, 65_536], addSecondsPerByte: 1e-9)
    /// 8 ns a byte.
    private static let link = Link(gigabitsPerSecond: 1, latencyMicroseconds: 10)

    private func isNear(_ a: Double, _ b: Double) -> Bool { abs(a - b) < 1e-9 }

    @Test func aSumTakesWhatItsMessagesTake() {
        func sum(_ bytes: Int, _ ranks: Int) -> Double {
            Self.model.sumSeconds(bytes, ranks: ranks, link: Self.link)
        }
        #expect(sum(1000, 1) == 0)
        // Small: all of it at each level.
        #expect(isNear(sum(1000, 2), 10e-6 + 9e-6))
        #expect(isNear(sum(1000, 8), 3 * (10e-6 + 9e-6)))
        // Large: down ½ + ¼ of it and up again, the way down with additions.
        #expect(isNear(sum(1_000_000, 4), 4 * 10e-6 + 0.75e6 * 17e-9))
        // The fifth rank gives all it has and gets the sum.
        #expect(isNear(sum(1_000_000, 5), 6 * 10e-6 + 0.75e6 * 17e-9 + 2e6 * 8e-9 + 1e6 * 1e-9))
    }

    @Test func whatIsLeftAtTheEndOfTheBackwardPassIsWaitedFor() {
        let found = Self.model.predict(ranks: 2, link: Self.link)
        let whole = 2 * 10e-6 + 0.5 * 4_194_304 * 17e-9
        let half = 2 * 10e-6 + 0.25 * 4_194_304 * 17e-9
        let norms = 10e-6 + 100 * 9e-9 + 2 * 10e-6 + 32_768 * 17e-9
        #expect(isNear(found.gradientSeconds, 3 * whole + half))
        #expect(isNear(found.normSeconds, norms))
        #expect(isNear(found.afterSeconds, 1 + norms + 3 * whole + half))
        #expect(isNear(found.afterEfficiency, 1 / found.afterSeconds))
        // Two pieces are done in time; the third begins 10 ms before the end, the fourth behind it.
        let exposed = whole - 0.01 + half
        let adding = 3.5 * 0.5 * 4_194_304 * 1e-9 / (3 * whole + half)
        let hidden = 3 * whole + half - exposed
        #expect(isNear(found.besideSeconds, 1 + norms + exposed + hidden * adding))
        // Where all of a sum takes the core, nothing is won.
        let shared = Self.model.predict(ranks: 2, link: Self.link, coreShare: 1)
        #expect(isNear(shared.besideSeconds, shared.afterSeconds))
    }

    /// Two sums a step: medians of 1 and 3 s, factors 1, 1, 1 and 2, and 1, 1, 1 and 3.
    private static let times = [[1.0, 3], [2, 9], [1, 3], [1, 3]]

    @Test func theSlowestRankIsWaitedFor() {
        let uneven = UnevenTimes(Self.times)
        #expect(isNear(uneven.seconds, 4))
        // Weights 1 and 3 of 16: 1 with 3/4, 2 with 1/16, 3 with 3/16.
        #expect(isNear(uneven.slowest(ofRanks: 1), 0.75 + 2.0 / 16 + 9.0 / 16))
        let (low, middle) = (0.75 * 0.75, 13.0 / 16 * 13 / 16)
        let two = low + 2 * (middle - low) + 3 * (1 - middle)
        #expect(isNear(uneven.slowest(ofRanks: 2), two))
        #expect(isNear(uneven.waitSeconds(ranks: 2), 4 * (two - 23.0 / 16)))
        // Of very many one has the largest factor that was measured.
        #expect(isNear(uneven.slowest(ofRanks: 1_000), 3))
        #expect(uneven.waitSeconds(ranks: 1) == 0)
    }

    @Test func aSlowNodeIsAlwaysWaitedFor() {
        let even = UnevenTimes([[1, 3], [1, 3]])
        #expect(even.waitSeconds(ranks: 8) == 0)
        #expect(isNear(even.waitSeconds(ranks: 3, speeds: [1, 1, 0.5]), 4))
        // The third node has not come yet.
        #expect(isNear(even.waitSeconds(ranks: 2, speeds: [1, 1, 0.5]), 0))
        #expect(even.deviation == 0)
    }

    @Test func joinedSumsEvenOut() {
        // 4, 11, 4 and 4 s: the median 4, the factor 2.75 once.
        let once = UnevenTimes(Self.times, joined: .max)
        #expect(isNear(once.slowest(ofRanks: 1_000), 2.75))
        let model = ScalingModel(
            stepSeconds: 4, gradientByteCount: 4, slackSeconds: [0], normByteCounts: [],
            addSecondsPerByte: 0, times: Self.times)
        let found = model.predict(
            ranks: 1_000, link: Link(latency: 0, secondsPerByte: 1e-15))
        #expect(isNear(found.waitSeconds, 4 * (3 - 23.0 / 16)))
        #expect(abs(found.efficiency(1) - 4 / (4 + found.waitSeconds)) < 1e-6)
        #expect(found.efficiency(.max) > found.efficiency(1))
    }

    @Test func aLinkIsFoundFromTwoSums() {
        for ranks in [2, 3, 4, 16] {
            func sum(_ bytes: Int) -> Double {
                Self.model.sumSeconds(bytes, ranks: ranks, link: Self.link)
            }
            let found = Self.model.link(
                ranks: ranks, smallByteCount: 1024, smallSeconds: sum(1024),
                pieceSeconds: sum(Self.piece))
            #expect(isNear(found.latency, 10e-6))
            #expect(abs(found.gigabitsPerSecond - 1) < 1e-6)
        }
    }
}
