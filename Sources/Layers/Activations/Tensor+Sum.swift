import Tensors

extension Tensor where Element: StorageElement {
    /// Adds another tensor of the same shape: a residual sum that stays as it is.
    ///
    /// - Parameter norm: The batch norm that follows in training mode: its moments are gathered.
    public func add(_ other: Tensor<Element>, momentsOf norm: NormBuffers?, pass: Pass) {
        precondition(shape == other.shape, "\(shape) and \(other.shape) have no sum")
        let channels = shape.channels
        pass.forEachShard { shard, images, scratch in
            let moments = norm?.clearedMoments(shard: shard)
            pass.forEachChunk(of: images, locations: shape.locations) { rows in
                let values = Activation(final: self).rows(rows, scratch: scratch)
                GradientKernels.add(
                    other.row(rows.lowerBound), to: values, count: rows.count * channels)
                store(values, rows: rows, momentsTo: moments)
            }
        }
    }
}
