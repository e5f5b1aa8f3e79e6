import Tensors

extension GradientSink {
    /// The gradient that another reader of the same input has left.
    public struct Added: Sendable {
        let gradient: Tensor<Element>
        let crop: Int
        let stride: Int

        /// Row (i, j) of `gradient` belongs to pixel (crop + stride·i, crop + stride·j).
        public init(_ gradient: Tensor<Element>, crop: Int = 0, stride: Int = 1) {
            (self.gradient, self.crop, self.stride) = (gradient, crop, stride)
        }

        /// Adds what belongs to the pixels `rows` (flat indices) of an input of `shape`.
        func add(to values: UnsafeMutablePointer<Float>, rows: Range<Int>, of shape: Shape) {
            let (channels, source) = (shape.channels, gradient)
            if crop == 0 && stride == 1 {
                GradientKernels.add(
                    source.row(rows.lowerBound), to: values, count: rows.count * channels)
                return
            }
            var row = rows.lowerBound
            while row < rows.upperBound {
                let (image, location) = (row / shape.locations, row % shape.locations)
                let (y, x) = (location / shape.width, location % shape.width)
                let end = min(shape.width, x + rows.upperBound - row)
                let i = y - crop
                if i >= 0 && i % stride == 0 && i / stride < source.shape.height {
                    let sourceRow =
                        (image * source.shape.height + i / stride) * source.shape.width
                    addRun(
                        sourceRow: sourceRow, columns: x..<end,
                        to: values + (row - rows.lowerBound) * channels)
                }
                row += end - x
            }
        }

        /// Adds what belongs to the pixels `columns` of one row of pixels.
        private func addRun(
            sourceRow: Int, columns: Range<Int>, to values: UnsafeMutablePointer<Float>
        ) {
            let (width, channels) = (gradient.shape.width, gradient.shape.channels)
            if stride == 1 {
                let first = max(columns.lowerBound, crop)
                let end = min(columns.upperBound, crop + width)
                guard first < end else { return }
                GradientKernels.add(
                    gradient.row(sourceRow + first - crop),
                    to: values + (first - columns.lowerBound) * channels,
                    count: (end - first) * channels)
                return
            }
            for x in columns {
                let j = x - crop
                guard j >= 0, j % stride == 0, j / stride < width else { continue }
                GradientKernels.add(
                    gradient.row(sourceRow + j / stride),
                    to: values + (x - columns.lowerBound) * channels, count: channels)
            }
        }
    }
}
