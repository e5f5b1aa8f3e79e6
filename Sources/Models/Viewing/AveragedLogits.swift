/// The prediction: the average over t of the logits at the visited places.
public enum AveragedLogits {
    /// The averages after 1, 2, … T glimpses, `[T][c]`.
    ///
    /// - Parameter logits: `[P, c]` of one image.
    public static func prefixes(
        _ logits: [Float], classes: Int, locations: [Int]
    ) -> [[Float]] {
        var sum = [Float](repeating: 0, count: classes)
        return locations.enumerated().map { t, place in
            for index in 0..<classes { sum[index] += logits[place * classes + index] }
            return sum.map { $0 / Float(t + 1) }
        }
    }

    /// The mean over all places, `[c]`.
    public static func mean(_ logits: [Float], classes: Int) -> [Float] {
        let places = logits.count / classes
        return prefixes(logits, classes: classes, locations: Array(0..<places)).last ?? []
    }

    /// The class with the largest value; of equal ones the lowest.
    public static func prediction(_ values: [Float]) -> Int {
        values.indices.max { values[$0] < values[$1] || (values[$0] == values[$1] && $0 > $1) } ?? 0
    }

    /// How many classes have a larger value than `label`, or an equal one and a lower number:
    /// 0 means top-1 correct, below 5 top-5 correct.
    public static func rank(of label: Int, in values: [Float]) -> Int {
        let own = values[label]
        var rank = 0
        for (index, value) in values.enumerated()
        where value > own || (value == own && index < label) {
            rank += 1
        }
        return rank
    }
}
