/// One figure, measured several times: by checkpoints of several seeds, or by several draws of the
/// random policy.
struct Repeats: Equatable {
    /// The mean.
    let mean: Double
    /// The sample standard deviation (n − 1); nil for a single measurement.
    let deviation: Double?

    /// Sums up measurements; `values` is not empty.
    init(_ values: [Double]) {
        let count = Double(values.count)
        let mean = values.reduce(0, +) / count
        self.mean = mean
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        deviation = values.count > 1 ? (squares / (count - 1)).squareRoot() : nil
    }

    /// Checkpoints, each with its draws: the deviation is that of the checkpoints' means; of a
    /// single checkpoint that of its draws.
    init(checkpoints: [[Double]]) {
        if checkpoints.count == 1 {
            self.init(checkpoints[0])
        } else {
            self.init(checkpoints.map { Repeats($0).mean })
        }
    }
}
