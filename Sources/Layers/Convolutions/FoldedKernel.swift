import Tensors

/// A convolution's kernel with the batch norm that follows folded in, laid out once for a model
/// that is not trained: `relu?(input ∗ (scale·kernel) + shift (+ residual))` is then one product
/// that writes finished values.
public struct FoldedKernel<Element: StorageElement>: Sendable {
    private let packed: Tensor<UInt8>
    private let scale: Tensor<Float>
    private let shift: Tensor<Float>
    private let inner: Int
    private let columns: Int
    private let places: Int

    /// Reserves room for `places` matrices `[inner, columns]`, which stays taken.
    init(inner: Int, columns: Int, places: Int = 1, in workspace: Workspace) {
        (self.inner, self.columns, self.places) = (inner, columns, places)
        packed = Tensor(
            vector: places * PackedMatrix<Element>.copiedByteCount(inner: inner, columns: columns),
            in: workspace.lastingArena)
        scale = Tensor(vector: columns, in: workspace.lastingArena)
        shift = Tensor(vector: columns, in: workspace.lastingArena)
    }

    /// Lays out the matrices `kernel`, with the norm's scale and shift where there is a norm.
    func fill(_ kernel: UnsafePointer<Float>, norm: NormBuffers?) {
        if let norm {
            scale.pointer.update(from: norm.scale.pointer, count: columns)
            shift.pointer.update(from: norm.shift.pointer, count: columns)
        } else {
            scale.pointer.update(repeating: 1, count: columns)
            shift.pointer.update(repeating: 0, count: columns)
        }
        for place in 0..<places {
            PackedMatrix<Element>.pack(
                kernel + place * inner * columns, scaledBy: scale.pointer, inner: inner,
                columns: columns, into: storage(place))
        }
    }

    private func storage(_ place: Int) -> UnsafeMutableRawPointer {
        let size = PackedMatrix<Element>.copiedByteCount(inner: inner, columns: columns)
        return UnsafeMutableRawPointer(packed.pointer + place * size)
    }

    /// The scaled matrices.
    var matrices: [PackedMatrix<Element>] {
        (0..<places).map {
            PackedMatrix(copied: storage($0), inner: inner, columns: columns)
        }
    }

    /// Finished rows of the output of a kernel that is one matrix.
    ///
    /// - Parameters:
    ///   - operand: `[rows, inner]`.
    ///   - residual: Added before the ReLU, `[rows, columns]`.
    ///   - scratch: `rows · columns` floats.
    func product(
        _ operand: UnsafeMutablePointer<Element>, adding residual: UnsafeMutablePointer<Element>?,
        rectified: Bool, into output: UnsafeMutablePointer<Element>, rows: Int,
        scratch: UnsafeMutablePointer<Float>
    ) {
        PackedMatrix<Element>(copied: storage(0), inner: inner, columns: columns).product(
            operand,
            finish: PackedMatrix.Finish(bias: shift.pointer, adding: residual, rectify: rectified),
            into: output, rows: rows, scratch: scratch)
    }

    /// Finishes rows that are products with the scaled kernel: `relu?(values + shift)`.
    func finish(
        _ values: UnsafeMutablePointer<Float>, rectified: Bool, rows: Int,
        into output: UnsafeMutablePointer<Element>
    ) {
        RowKernels.finish(
            values, bias: shift.pointer, adding: nil, rectify: rectified, rows: rows,
            channels: columns, into: output)
    }
}

/// What a residual block's shortcut carries: final values, cropped on each side.
public struct Residual<Element: StorageElement>: Sendable {
    private let values: Tensor<Element>
    private let crop: Int

    /// Crops `values` by `crop` pixels on each side.
    public init(_ values: Tensor<Element>, crop: Int) {
        (self.values, self.crop) = (values, crop)
    }

    /// Has the next product fetch the rows after `rows`, where they follow in memory.
    func fetchAhead(after rows: Range<Int>) {
        if crop == 0 { values.fetchAhead(after: rows) }
    }

    /// The rows `range` of the cropped value, gathered into `scratch` where they are not one run.
    func rows(
        _ range: Range<Int>, scratch: UnsafeMutablePointer<Element>
    ) -> UnsafeMutablePointer<Element> {
        guard crop > 0 else { return values.row(range.lowerBound) }
        let shape = values.shape
        let (height, width) = (shape.height - 2 * crop, shape.width - 2 * crop)
        var (row, target) = (range.lowerBound, scratch)
        while row < range.upperBound {
            let (line, column) = row.quotientAndRemainder(dividingBy: width)
            let (image, y) = line.quotientAndRemainder(dividingBy: height)
            let count = min(width - column, range.upperBound - row)
            let source = (image * shape.height + y + crop) * shape.width + column + crop
            target.update(from: values.row(source), count: count * shape.channels)
            target += count * shape.channels
            row += count
        }
        return scratch
    }
}
