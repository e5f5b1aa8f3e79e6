/// Values of one run in one stage.
struct Curve {
    /// A value and when it was measured.
    struct Point: Equatable {
        let x: Double
        let y: Double
    }

    /// More points than this are thinned out: no eye tells them apart.
    static let mostPoints = 1000

    let points: [Point]

    /// The exponential moving average, free of the bias of its start: a value's weight falls by
    /// `weight` with each later one.
    func smoothed(weight: Double) -> [Point] {
        var (sum, norm) = (0.0, 0.0)
        return points.map { point in
            sum = weight * sum + (1 - weight) * point.y
            norm = weight * norm + (1 - weight)
            return Point(x: point.x, y: sum / norm)
        }
    }

    /// The weight of smoothing unless the user says otherwise: over a fifteenth of the points.
    static func weight(count: Int) -> Double { 1 - 1 / max(1, Double(count) / 15) }

    /// At most `most` points that look as all do: of each stretch the lowest and the highest.
    static func thinned(_ points: [Point], most: Int = mostPoints) -> [Point] {
        guard points.count > most else { return points }
        let stretch = (2 * points.count + most - 1) / most
        return stride(from: 0, to: points.count, by: stretch).flatMap { start -> [Point] in
            let part = start..<min(points.count, start + stretch)
            let low = part.min { points[$0].y < points[$1].y } ?? start
            let high = part.max { points[$0].y < points[$1].y } ?? start
            return low == high
                ? [points[low]] : [points[min(low, high)], points[max(low, high)]]
        }
    }
}
