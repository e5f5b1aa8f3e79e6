import Models

/// Where a model fails, and how far its confidence can be trusted: figures of the last line's
/// prediction, class by class.
///
/// The counts of several checkpoints add up, so that parts are those of all predictions together.
public struct Classification: Codable, Equatable, Sendable {
    /// One class.
    public struct ClassFigures: Codable, Equatable, Sendable {
        /// What the data set calls it.
        public let name: String
        /// What people call it.
        public let words: String
        /// Images of the class, each once.
        public let images: Int
        /// Predictions of the class for any image.
        public let predictedCount: Int
        /// Predictions of the class for images of it.
        public let rightCount: Int
        /// The part of the class's images that are right; left out without images.
        public let recall: Double?
        /// The part of the class's predictions that are right; left out without predictions.
        public let precision: Double?
    }

    /// Images of one class that were taken for another's.
    public struct Confusion: Codable, Equatable, Sendable {
        /// The images' class.
        public let label: Int
        /// The predicted one.
        public let predicted: Int
        /// How many.
        public let count: Int
        /// Their part of the images of the class.
        public let part: Double
    }

    /// What comes of looking no further once the predicted class is probable enough.
    public struct Exit: Codable, Equatable, Sendable {
        /// The probability.
        public let confidence: Double
        /// The mean number of glimpses.
        public let glimpses: Double
        /// The part of images that are right.
        public let top1: Double
    }

    /// Predictions of like confidence.
    public struct Bin: Codable, Equatable, Sendable {
        /// Confidences above this, or from 0 on.
        public let above: Double
        /// The upper end of the range, which belongs to it.
        public let upTo: Double
        /// How many predictions.
        public let count: Int
        /// The predictions' mean confidence; left out without any.
        public let confidence: Double?
        /// The part that is right; left out without any.
        public let top1: Double?
    }

    /// More classes than this have no matrix, but a list of confusions.
    static let mostInMatrix = 30
    /// How many confusions a list has.
    static let shownCount = 20
    /// Bins of equal width, as many as in Guo et al. 2017 (arXiv 1706.04599).
    private static let binCount = 15

    /// The policy; nil where the prediction is that of the whole image.
    public let policy: String?
    /// T; nil without glimpses.
    public let glimpses: Int?
    /// How many checkpoints there are.
    public let repeats: Int
    /// The mean recall of the classes that have images.
    public let balancedAccuracy: Double
    /// Its sample standard deviation (n − 1) over checkpoints; left out for one.
    public let balancedAccuracyDeviation: Double?
    /// The expected calibration error: the mean distance of a bin's accuracy from its confidence,
    /// bins weighted by their predictions (Guo et al. 2017); of several checkpoints the mean.
    public let calibrationError: Double
    /// Its sample standard deviation (n − 1) over checkpoints; left out for one.
    public let calibrationErrorDeviation: Double?
    /// The classes' figures, in the order of the labels.
    public let classes: [ClassFigures]
    /// Rows are the images' classes, columns the predicted ones; left out above 30 classes.
    public let confusionMatrix: [[Int]]?
    /// The most frequent confusions, at most twenty.
    public let worstConfusions: [Confusion]
    /// The figures for increasing confidences; left out without several glimpses.
    public let earlyExit: [Exit]?
    /// The bins, by confidence.
    public let calibration: [Bin]

    /// Sums up checkpoints' predictions of the same images; nil without any.
    ///
    /// - Parameters:
    ///   - labels: Of the images.
    ///   - names: Of the classes, in the order of the labels.
    init?(
        _ outcomes: [Outcomes], labels: [Int], judged: Outcomes.Judged, names: [String],
        words: [String]
    ) {
        if outcomes.isEmpty || labels.isEmpty { return nil }
        let tables = outcomes.map {
            ConfusionTable(labels: labels, predictions: $0.predictions, classes: names.count)
        }
        let table = ConfusionTable(tables)
        repeats = outcomes.count
        switch judged {
        case .policy(let policy, let glimpses):
            (self.policy, self.glimpses) = (policy.rawValue, glimpses)
        case .whole: (policy, glimpses) = (nil, nil)
        }
        let balanced = Repeats(tables.map(\.balancedAccuracy))
        (balancedAccuracy, balancedAccuracyDeviation) = (balanced.mean, balanced.deviation)
        let bins = outcomes.map { Self.bins([$0], labels: labels) }
        let errors = Repeats(bins.map(Self.calibrationError))
        (calibrationError, calibrationErrorDeviation) = (errors.mean, errors.deviation)
        calibration = Self.bins(outcomes, labels: labels)
        classes = names.indices.map { label in
            ClassFigures(
                name: names[label], words: words[label],
                images: table.images[label] / outcomes.count,
                predictedCount: table.predicted[label], rightCount: table.right[label],
                recall: table.recall(label), precision: table.precision(label))
        }
        confusionMatrix = names.count > Self.mostInMatrix ? nil : table.matrix
        worstConfusions = table.confusions.prefix(Self.shownCount).map {
            Confusion(
                label: $0.label, predicted: $0.predicted, count: $0.count,
                part: Double($0.count) / Double(table.images[$0.label]))
        }
        let all = Double(max(1, labels.count * outcomes.count))
        earlyExit =
            (glimpses ?? 1) < 2
            ? nil
            : Outcomes.thresholds.enumerated().map { index, threshold in
                let exits = outcomes.map { $0.exits[index] }
                return Exit(
                    confidence: Double(threshold) / Double(Confidence.unit),
                    glimpses: Double(exits.reduce(0) { $0 + $1.glimpses }) / all,
                    top1: Double(exits.reduce(0) { $0 + $1.right }) / all)
            }
    }

    private static func bins(_ outcomes: [Outcomes], labels: [Int]) -> [Bin] {
        var counts = [Int](repeating: 0, count: binCount)
        var (right, sums) = (counts, counts)
        for outcomes in outcomes {
            for (image, label) in labels.enumerated() {
                let confidence = outcomes.confidences[image]
                let bin = min(binCount - 1, max(0, confidence * binCount - 1) / Confidence.unit)
                counts[bin] += 1
                sums[bin] += confidence
                right[bin] += outcomes.predictions[image] == label ? 1 : 0
            }
        }
        return (0..<binCount).map { bin in
            let count = counts[bin]
            func part(_ sum: Double) -> Double? { count == 0 ? nil : sum / Double(count) }
            return Bin(
                above: Double(bin) / Double(binCount), upTo: Double(bin + 1) / Double(binCount),
                count: count, confidence: part(Double(sums[bin]) / Double(Confidence.unit)),
                top1: part(Double(right[bin])))
        }
    }

    private static func calibrationError(_ bins: [Bin]) -> Double {
        let all = Double(max(1, bins.reduce(0) { $0 + $1.count }))
        return bins.reduce(0) { sum, bin in
            guard let confidence = bin.confidence, let top1 = bin.top1 else { return sum }
            return sum + Double(bin.count) / all * abs(top1 - confidence)
        }
    }
}
