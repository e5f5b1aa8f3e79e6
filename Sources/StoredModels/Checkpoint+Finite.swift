import Checkpoints

extension Checkpoint {
    /// The numbers of an array, each a finite number with a finite square: with others a model
    /// says nothing, and some of its comparisons would even pass for right answers.
    public func finiteFloats(_ name: String, shape: [Int]) throws(CheckpointError) -> [Float] {
        let numbers = try floats(name, shape: shape)
        if let place = numbers.firstIndex(where: { !($0 * $0).isFinite }) {
            let count = numbers.count { !($0 * $0).isFinite }
            throw .damaged(
                path: file.path,
                what: "\(name) holds \(count) of \(numbers.count) numbers that are not finite or "
                    + "too large to compute with (the first, at \(place), is \(numbers[place]))")
        }
        return numbers
    }
}
