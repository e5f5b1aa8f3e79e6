import Foundation
import Models
import Testing

@testable import Evaluation

/// Figures of classes, confidences and early exit, worked by hand.
@Suite struct ClassificationTests {
    private let labels = [0, 0, 0, 1, 1, 2]
    private let names = ["a", "b", "c", "d"]

    /// Six images with two glimpses each: classes and confidences (in %).
    private var outcomes: Outcomes {
        var outcomes = Outcomes(count: 6)
        let seen: [(first: (Int, Int), second: (Int, Int))] = [
            ((0, 95), (0, 99)), ((1, 40), (0, 60)), ((1, 92), (1, 90)), ((1, 30), (1, 70)),
            ((0, 50), (0, 55)), ((2, 20), (0, 65)),
        ]
        for (image, (first, second)) in seen.enumerated() {
            outcomes.add(
                image, label: labels[image], predictions: [first.0, second.0],
                confidences: [first.1 * 10_000, second.1 * 10_000])
        }
        return outcomes
    }

    private func classification(_ outcomes: [Outcomes]) throws -> Classification {
        try #require(
            Classification(
                outcomes, labels: labels, judged: .policy(.learned, glimpses: 2), names: names,
                words: names))
    }

    /// As sklearn.metrics says: recall_score, precision_score, balanced_accuracy_score and
    /// confusion_matrix of [0,0,0,1,1,2] and [0,0,1,1,0,0].
    @Test func recallAndPrecisionOfEachClass() throws {
        let found = try classification([outcomes])
        #expect(found.classes.map(\.recall) == [2.0 / 3, 0.5, 0, nil])
        #expect(found.classes.map(\.precision) == [0.5, 0.5, nil, nil])
        #expect(found.classes.map(\.images) == [3, 2, 1, 0])
        #expect(abs(found.balancedAccuracy - 7.0 / 18) < 1e-12)
        #expect(
            found.confusionMatrix == [[2, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
        #expect(found.worstConfusions.map(\.count) == [1, 1, 1])
        #expect(found.worstConfusions.map(\.part) == [1.0 / 3, 0.5, 1])
    }

    /// Right at 99, 60 and 70 %, wrong at 90, 55 and 65 %; bins of 1/15. 65 and 60 % share no bin:
    /// (0.6, 0.667] holds 65, (0.533, 0.6] holds 55 and 60.
    @Test func theCalibrationErrorIsThatOfItsBins() throws {
        let found = try classification([outcomes])
        #expect(found.calibration.filter { $0.count > 0 }.map(\.count) == [2, 1, 1, 1, 1])
        let expected = (2 * abs(0.5 - 0.575) + 0.65 + 0.3 + 0.9 + 0.01) / 6
        #expect(abs(found.calibrationError - expected) < 1e-12)
        #expect(found.calibration.allSatisfy { $0.count > 0 || $0.confidence == nil })
    }

    @Test func stoppingWhenSureTakesFewerGlimpses() throws {
        let exits = try #require(try classification([outcomes]).earlyExit)
        func exit(_ confidence: Double) throws -> Classification.Exit {
            try #require(exits.first { $0.confidence == confidence })
        }
        // After the first: right are images 0, 3 and 5.
        #expect(try exit(0).glimpses == 1 && exit(0).top1 == 0.5)
        // 95 and 92 % suffice.
        #expect(try abs(exit(0.9).glimpses - 10.0 / 6) < 1e-12 && exit(0.9).top1 == 0.5)
        // 40 and 50 % too; 30 and 20 % look on.
        #expect(try abs(exit(0.4).glimpses - 8.0 / 6) < 1e-12)
        #expect(try abs(exit(0.4).top1 - 2.0 / 6) < 1e-12)
        #expect(try exit(1).glimpses == 2 && exit(1).top1 == 0.5)
    }

    @Test func severalCheckpointsAddUp() throws {
        var right = Outcomes(count: 6)
        for (image, label) in labels.enumerated() {
            right.add(
                image, label: label, predictions: [label, label],
                confidences: [Confidence.unit, Confidence.unit])
        }
        let found = try classification([outcomes, right])
        #expect(found.repeats == 2 && found.classes.map(\.images) == [3, 2, 1, 0])
        #expect(found.classes.map(\.rightCount) == [5, 3, 1, 0])
        #expect(abs(found.balancedAccuracy - (7.0 / 18 + 1) / 2) < 1e-12)
        #expect(found.balancedAccuracyDeviation != nil)
        #expect(found.calibration.last?.count == 7)
    }

    /// Ranks count their own images, and the sums are those of one.
    @Test func countsOfRanksAddUp() {
        let whole = outcomes
        var (first, sum) = (Outcomes(count: 6), Outcomes(count: 6))
        first.add(0, label: 0, predictions: [0, 0], confidences: [950_000, 990_000])
        var second = whole
        second.counts = zip(whole.counts, first.counts).map { $0 - $1 }
        sum.counts = zip(first.counts, second.counts).map { $0 + $1 }
        #expect(sum == whole && first != whole)
        #expect(whole.counts.count == 2 * 6 + 2 * Outcomes.thresholds.count)
    }

    @Test func probabilitiesAreASoftmax() {
        let found = Confidence.probabilities([0, Float(log(3.0)), -100])
        #expect(found == [250_000, 750_000, 0])
        let judged = Confidence.judge([0, Float(log(3.0)), -100], label: 0)
        #expect(judged.confidence == 750_000 && abs(judged.crossEntropy - log(4)) < 1e-6)
        #expect(Confidence.glimpses([1, 5, 9], threshold: 5) == 2)
        #expect(Confidence.glimpses([1, 5, 9], threshold: 10) == 3)
    }

    @Test func confusionsAreDrawn() throws {
        let found = try classification([outcomes])
        let matrix = ConfusionPicture(classification: found)
        #expect(matrix.title == "Confusion matrix (learned, T = 2)")
        #expect(String(decoding: try matrix.svg(), as: UTF8.self).hasPrefix("<?xml"))
        #expect(try matrix.png().prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]))
        // Of 31 classes the pairs alone.
        let many = (0..<31).map { "\($0)" }
        let pairs = try #require(
            Classification(
                [outcomes], labels: labels, judged: .whole, names: many, words: many))
        #expect(pairs.confusionMatrix == nil && pairs.worstConfusions.count == 3)
        #expect(
            ConfusionPicture(classification: pairs).title
                == "The most frequent confusions (the whole image)")
        #expect(try ConfusionPicture(classification: pairs).png().count > 1000)
    }
}
