import Models

/// What the prediction of the last line says of each image of a set, and where it would have been
/// sure enough to look no further: whole numbers, which several ranks add up exactly.
public struct Outcomes: Equatable, Sendable {
    /// Which of a model's predictions is meant.
    enum Judged: Equatable, Sendable {
        /// A policy's first draw, after so many glimpses.
        case policy(Policy, glimpses: Int)
        /// That of the image as a whole.
        case whole
    }

    /// What stopping at a confidence comes to.
    struct Exit: Equatable, Sendable {
        /// Glimpses taken, all images together.
        var glimpses = 0
        /// Images that are right.
        var right = 0
    }

    /// The confidences at which it might stop, in millionths.
    static let thresholds = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99, 100].map {
        $0 * Confidence.unit / 100
    }

    /// The class predicted for each image.
    private(set) var predictions: [Int]
    /// The prediction's probability, in millionths.
    private(set) var confidences: [Int]
    /// The counts for each threshold.
    private(set) var exits: [Exit]

    /// No outcome yet of any of `count` images.
    init(count: Int) {
        predictions = [Int](repeating: 0, count: count)
        confidences = predictions
        exits = Self.thresholds.map { _ in Exit() }
    }

    /// Takes in one image.
    ///
    /// - Parameters:
    ///   - predictions: The class after 1, 2, … T glimpses; of an image as a whole, one.
    ///   - confidences: Their probabilities, in millionths.
    mutating func add(
        _ image: Int, label: Int, predictions: some RandomAccessCollection<Int>,
        confidences: [Int]
    ) {
        let predictions = Array(predictions)
        self.predictions[image] = predictions.last ?? 0
        self.confidences[image] = confidences.last ?? 0
        for (index, threshold) in Self.thresholds.enumerated() {
            let taken = Confidence.glimpses(confidences, threshold: threshold)
            exits[index].glimpses += taken
            exits[index].right += predictions[taken - 1] == label ? 1 : 0
        }
    }

    /// All numbers as one list, for a sum over ranks.
    var counts: [Int] {
        get { predictions + confidences + exits.flatMap { [$0.glimpses, $0.right] } }
        set {
            let n = predictions.count
            precondition(newValue.count == 2 * (n + exits.count), "\(newValue.count) counts")
            predictions = Array(newValue[..<n])
            confidences = Array(newValue[n..<(2 * n)])
            for index in exits.indices {
                let place = 2 * (n + index)
                exits[index] = Exit(glimpses: newValue[place], right: newValue[place + 1])
            }
        }
    }
}
