import Tensors

extension Tensor where Element: StorageElement {
    /// Adds another tensor of the same shape: a residual sum that stays as it is.
    ///
    /// - Parameters:
    ///   - stride: Of the other tensor only the pixels (stride·i, stride·j) are taken, which are
    ///     as many as this one has.
    ///   - norm: The batch norm that follows in training mode: its moments are gathered.
    public func add(
        _ other: Tensor<Element>, stride: Int = 1, momentsOf norm: NormBuffers?, pass: Pass
    ) {
        let taken = Shape(
            other.shape.images, (other.shape.height + stride - 1) / stride,
            (other.shape.width + stride - 1) / stride, other.shape.channels)
        precondition(shape == taken, "\(shape) and \(taken) have no sum")
        let channels = shape.channels
        pass.forEachShard { shard, images, scratch in
            let moments = norm?.clearedMoments(shard: shard)
            pass.forEachChunk(of: images, locations: shape.locations) { rows in
                let values = Activation(final: self).rows(rows, scratch: scratch)
                if stride == 1 {
                    GradientKernels.add(
                        other.row(rows.lowerBound), to: values, count: rows.count * channels)
                } else {
                    for row in rows {
                        GradientKernels.add(
                            other.row(pixel(ofRow: row, stride: stride, in: other.shape)),
                            to: values + (row - rows.lowerBound) * channels, count: channels)
                    }
                }
                store(values, rows: rows, momentsTo: moments)
            }
        }
    }

    /// The row of the pixel (stride·i, stride·j) in `other`, where `row` is (i, j) here.
    private func pixel(ofRow row: Int, stride: Int, in other: Shape) -> Int {
        let (line, column) = row.quotientAndRemainder(dividingBy: shape.width)
        let (image, y) = line.quotientAndRemainder(dividingBy: shape.height)
        return (image * other.height + stride * y) * other.width + stride * column
    }
}
