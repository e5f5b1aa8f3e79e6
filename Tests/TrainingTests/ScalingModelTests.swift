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
