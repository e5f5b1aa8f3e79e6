/// Counts of what images of each class were taken for: only pairs that occur take memory, however
/// many classes there are.
struct ConfusionTable: Equatable {
    /// A class and what it was taken for.
    private struct Pair: Hashable {
        let label: Int
        let predicted: Int
    }

    /// Images of each class.
    private(set) var images: [Int]
    /// Predictions of each class.
    private(set) var predicted: [Int]
    /// Predictions of each class that are right.
    private(set) var right: [Int]
    private var wrong: [Pair: Int] = [:]

    init(labels: [Int], predictions: [Int], classes: Int) {
        images = [Int](repeating: 0, count: classes)
        (predicted, right) = (images, images)
        for (label, prediction) in zip(labels, predictions) {
            images[label] += 1
            predicted[prediction] += 1
            if label == prediction {
                right[label] += 1
            } else {
                wrong[Pair(label: label, predicted: prediction), default: 0] += 1
            }
        }
    }

    /// The sum of some; `tables` is not empty.
    init(_ tables: [ConfusionTable]) {
        self = tables[0]
        for table in tables.dropFirst() {
            for label in images.indices {
                images[label] += table.images[label]
                predicted[label] += table.predicted[label]
                right[label] += table.right[label]
            }
            wrong.merge(table.wrong, uniquingKeysWith: +)
        }
    }

    /// The part of a class's images that are right; nil without images.
    func recall(_ label: Int) -> Double? {
        images[label] == 0 ? nil : Double(right[label]) / Double(images[label])
    }

    /// The part of a class's predictions that are right; nil without predictions.
    func precision(_ label: Int) -> Double? {
        predicted[label] == 0 ? nil : Double(right[label]) / Double(predicted[label])
    }

    /// The mean recall of the classes that have images.
    var balancedAccuracy: Double {
        let recalls = images.indices.compactMap(recall)
        return recalls.reduce(0, +) / Double(max(1, recalls.count))
    }

    /// Wrong pairs, the most frequent first.
    var confusions: [(label: Int, predicted: Int, count: Int)] {
        wrong.map { ($0.label, $0.predicted, $1) }.sorted { a, b in
            (b.2, a.0, a.1) < (a.2, b.0, b.1)
        }
    }

    /// All counts, `[label][predicted]`.
    var matrix: [[Int]] {
        var rows = images.map { _ in [Int](repeating: 0, count: images.count) }
        for label in images.indices { rows[label][label] = right[label] }
        for (pair, count) in wrong { rows[pair.label][pair.predicted] = count }
        return rows
    }
}
