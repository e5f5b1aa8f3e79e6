import Checkpoints

/// A checkpoint written once more with something changed, as another program would.
public enum RewrittenCheckpoint {
    /// Writes `path` to `target`.
    ///
    /// - Parameters:
    ///   - order: Where each logit of the new file comes from in the old one.
    ///   - change: What becomes of the header.
    public static func write(
        _ path: String, to target: String, order: [Int]? = nil,
        _ change: (inout CheckpointHeader) -> Void
    ) throws {
        let checkpoint = try Checkpoint(reading: path)
        var header = checkpoint.header
        change(&header)
        var buffers: [UnsafeMutableBufferPointer<Float>] = []
        defer { buffers.forEach { $0.deallocate() } }
        var arrays: [CheckpointArray] = []
        for name in checkpoint.file.datasets(under: "/model") {
            let shape = try checkpoint.file.shape(of: "/model/\(name)")
            var values = try checkpoint.file.floats("/model/\(name)")
            if let order, name.contains("/logits/") {
                let old = values
                for place in values.indices {
                    let (row, column) = place.quotientAndRemainder(dividingBy: order.count)
                    values[place] = old[row * order.count + order[column]]
                }
            }
            let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: values.count)
            _ = buffer.initialize(from: values)
            buffers.append(buffer)
            arrays.append(
                CheckpointArray("/model/\(name)", shape: shape, values: UnsafeBufferPointer(buffer))
            )
        }
        try Checkpoint.write(to: target, header: header, arrays: arrays)
    }

    /// All of a checkpoint's model and optimizer, by path.
    public static func arrays(_ path: String) throws -> [String: [Float]] {
        let file = try HDF5File.open(path)
        var arrays: [String: [Float]] = [:]
        for group in ["/model", "/optimizer", "/ema"] where file.contains(group) {
            for name in file.datasets(under: group) {
                arrays["\(group)/\(name)"] = try file.floats("\(group)/\(name)")
            }
        }
        return arrays
    }
}
