import Foundation
import Models
import Testing

@testable import Evaluation
@testable import SaccaderModel

/// The figures of a report, against small cases worked by hand.
@Suite struct ScoreTests {
    /// Places of 5×5 pixels, 2 apart, 3×3 of them on images of 9×9.
    private let geometry: Geometry
    private let size = 9

    init() {
        var sizes = RepresentationConfiguration()
        (sizes.blocks, sizes.kernel3, sizes.strides, sizes.planes) = ([1], [1], [2], [4])
        geometry = Geometry(sizes, imageSize: size)
    }

    @Test func theCaseIsWhatItSays() {
        #expect(geometry.receptiveField == 5 && geometry.stride == 2 && geometry.gridSize == 3)
    }

    /// Two classes; the first place speaks for class 0, the last weakly, all others for class 1.
    private var logits: [Float] {
        var values: [Float] = []
        for place in 0..<9 { values += place == 0 ? [3, 0] : place == 8 ? [1, 0] : [0, 2] }
        return values
    }

    private func follow(_ locations: [Int], label: Int = 0) -> ScoredSequence {
        ScoredSequence(
            GlimpseSequence(
                windows: locations.map { geometry.window(of: $0) }, places: locations,
                predictions: AveragedLogits.prefixes(logits, classes: 2, locations: locations)),
            label: label, imageSize: size, known: [(10, 10)])
    }

    @Test func aTrajectoryIsWorkedByHand() {
        let found = follow([0, 4, 8, 1, 3])
        // Sums of class 0 and 1: (3, 0), (3, 2), (4, 2), (4, 4), (4, 6).
        #expect(found.predictions == [0, 0, 0, 0, 1])
        #expect(found.labelRanks == [0, 0, 0, 0, 1])
        let loss = log(1 + exp(-1.0 / 2))
        #expect(found.losses[1] == Int((1e6 * loss).rounded()))
        // 25; two squares share 3×3; the third shares 3×3 with the second and 1 pixel with both.
        #expect(found.coveredPixels[..<3] == [25, 41, 57])
        #expect(found.hits == [0, 1, 2, 2, 2])
    }

    @Test func scoresCountImages() {
        var score = PolicyScore(glimpses: 2, placeCount: 9, pixelCount: 81)
        score.add(follow([0, 4]))
        score.add(follow([4, 1]))
        score.add(follow([0, 4], label: 1))
        score.add(follow([4, 4], label: 1))
        #expect(score.imageCount == 4 && score.knownCount == 4)
        #expect(score.top1 == [2, 2] && score.top5 == [4, 4])
        #expect(score.accuracy(1) == 0.5)
        #expect(score.coveredPixels == [100, 41 + 25 + 10 + 41 + 25])
        let mean = Double(142) / 4
        let squares = [41.0, 35, 41, 25].map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 4
        #expect(abs(score.coverageDeviation(2) - squares.squareRoot() / 81) < 1e-12)
        #expect(score.visits(1) == [2, 0, 0, 0, 2, 0, 0, 0, 0])
        #expect(abs(score.diversity(1) - 2.0 / 9) < 1e-12)
        var other = score
        other.counts = score.counts.map { 2 * $0 }
        #expect(other.imageCount == 8 && other.top1 == [4, 4] && other.diversity(1) > 0.22)
    }

    @Test func diversityIsOneWhereAllPlacesAreVisitedAlike() {
        var score = PolicyScore(glimpses: 1, placeCount: 9, pixelCount: 81)
        for place in 0..<9 { score.add(follow([place])) }
        #expect(abs(score.diversity(1) - 1) < 1e-12)
    }

    @Test func repeatsAreMeanAndSampleDeviation() {
        #expect(Repeats([2, 4, 9]).mean == 5)
        #expect(abs((Repeats([2, 4, 9]).deviation ?? 0) - 13.squareRoot()) < 1e-12)
        #expect(Repeats([3]).deviation == nil)
        // Of several checkpoints the deviation is that of their means, not of the draws.
        let checkpoints = Repeats(checkpoints: [[1, 3], [4, 6]])
        #expect(checkpoints.mean == 3.5)
        #expect(abs((checkpoints.deviation ?? 0) - 4.5.squareRoot()) < 1e-12)
        #expect(abs((Repeats(checkpoints: [[1, 3]]).deviation ?? 0) - 2.squareRoot()) < 1e-12)
    }

    @Test func ranksAddUpExactly() throws {
        func scores(_ places: [[Int]], first: Int) -> Scores {
            var scores = Scores()
            var score = PolicyScore(glimpses: 2, placeCount: 9, pixelCount: 81)
            var verdicts = Scores.Verdicts(
                predictions: [0, 0, 0, 0], losses: [0, 0, 0, 0])
            for (index, locations) in places.enumerated() {
                let sequence = follow(locations)
                score.add(sequence)
                verdicts.predictions[first + index] = sequence.predictions[1]
                verdicts.losses[first + index] = sequence.losses[1]
            }
            scores.policies = [.learned: [score], .random: [score, score]]
            scores.verdicts = [.learned: verdicts]
            scores.imageCount = places.count
            scores.meanLogits = Scores.MeanLogits(
                top1: places.count - 1, top5: places.count, imageCount: places.count)
            return scores
        }
        let all = [[0, 4], [1, 3], [8, 0], [4, 5]]
        var left = scores(Array(all[..<3]), first: 0)
        var right = scores(Array(all[3...]), first: 3)
        // The right rank's counts first, so that the left one can add them.
        final class Box: @unchecked Sendable { var counts: [Int] = [] }
        let box = Box()
        try right.sum(
            over: RankShare(rank: 1, count: 2) { counts in
                box.counts = counts
                return counts
            })
        try left.sum(over: RankShare(rank: 0, count: 2) { zip($0, box.counts).map(+) })
        var whole = scores(all, first: 0)
        whole.meanLogits.top1 -= 1
        #expect(left == whole)
    }
}
