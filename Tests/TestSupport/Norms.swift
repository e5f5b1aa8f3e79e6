/// ‖a − b‖ / ‖b‖, or ‖a − b‖ over `floor` where ‖b‖ is smaller; infinite for unlike lengths.
public func relativeDifference(
    _ a: [some BinaryFloatingPoint], _ b: [some BinaryFloatingPoint], floor: Double = 1e-30
) -> Double {
    guard a.count == b.count else { return .infinity }
    var (difference, norm) = (0.0, 0.0)
    for (left, right) in zip(a, b) {
        let (x, y) = (Double(left), Double(right))
        difference += (x - y) * (x - y)
        norm += y * y
    }
    return difference.squareRoot() / max(norm.squareRoot(), floor)
}
