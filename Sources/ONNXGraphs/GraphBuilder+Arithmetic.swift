/// Operators by what they do.
extension GraphBuilder {
    mutating func relu(_ value: GraphValue) -> GraphValue { add("Relu", [value]) }

    mutating func sum(_ left: GraphValue, _ right: GraphValue) -> GraphValue {
        add("Add", [left, right])
    }

    mutating func difference(_ left: GraphValue, _ right: GraphValue) -> GraphValue {
        add("Sub", [left, right])
    }

    mutating func product(_ left: GraphValue, _ right: GraphValue) -> GraphValue {
        add("Mul", [left, right])
    }

    mutating func scaled(_ value: GraphValue, by factor: Float) -> GraphValue {
        product(value, constant(.floats([factor]), shape: []))
    }

    mutating func matrixProduct(_ left: GraphValue, _ right: GraphValue) -> GraphValue {
        add("MatMul", [left, right])
    }

    mutating func softmax(_ value: GraphValue, axis: Int) -> GraphValue {
        add("Softmax", [value], ["axis": .integer(axis)])
    }

    mutating func transposed(_ value: GraphValue, _ order: [Int]) -> GraphValue {
        add("Transpose", [value], ["perm": .integers(order)])
    }

    /// - Parameter shape: 0: as it is; −1: what is left.
    mutating func reshaped(_ value: GraphValue, _ shape: [Int]) -> GraphValue {
        add("Reshape", [value, constant(.integers(shape))])
    }

    /// The value with dimensions of 1 more.
    mutating func widened(_ value: GraphValue, axes: [Int]) -> GraphValue {
        add("Unsqueeze", [value, constant(.integers(axes))])
    }

    /// The value without dimensions of 1.
    mutating func narrowed(_ value: GraphValue, axes: [Int]) -> GraphValue {
        add("Squeeze", [value, constant(.integers(axes))])
    }

    mutating func concatenated(_ values: [GraphValue], axis: Int) -> GraphValue {
        values.count == 1 ? values[0] : add("Concat", values, ["axis": .integer(axis)])
    }

    /// Side by side along a new dimension.
    mutating func stacked(_ values: [GraphValue], axis: Int) -> GraphValue {
        let parts = values.map { widened($0, axes: [axis]) }
        return concatenated(parts, axis: axis)
    }

    /// The part of a value from `start` to before `end` along some dimensions; negative: from the
    /// end.
    mutating func slice(
        _ value: GraphValue, from start: Int, to end: Int, axes: [Int]
    ) -> GraphValue {
        add(
            "Slice",
            [
                value, constant(.integers(axes.map { _ in start })),
                constant(.integers(axes.map { _ in end })), constant(.integers(axes)),
            ])
    }

    /// Rows of a table.
    mutating func rows(_ table: GraphValue, _ indices: GraphValue, axis: Int = 0) -> GraphValue {
        add("Gather", [table, indices], ["axis": .integer(axis)])
    }

    /// Rows of each image's own table: `[batch…, R, …]` and `[batch…, K]` make `[batch…, K, …]`.
    ///
    /// - Parameter batch: How many dimensions both have in common.
    mutating func ownRows(
        _ table: GraphValue, _ indices: GraphValue, batch: Int = 1
    ) -> GraphValue {
        add(
            "GatherND", [table, widened(indices, axes: [-1])], ["batch_dims": .integer(batch)])
    }

    /// Whole numbers between bounds.
    mutating func clamped(_ value: GraphValue, to bounds: ClosedRange<Int>) -> GraphValue {
        add(
            "Clip",
            [
                value, constant(.integers([bounds.lowerBound]), shape: []),
                constant(.integers([bounds.upperBound]), shape: []),
            ])
    }

    /// The mean over all places of `[N, C, H, W]`, `[N, C, 1, 1]`.
    mutating func placeMean(_ value: GraphValue) -> GraphValue {
        add("GlobalAveragePool", [value])
    }

    /// The means of the first 1, 2, … T values.
    mutating func runningMeans(_ values: [GraphValue]) -> [GraphValue] {
        var sum: GraphValue?
        return values.enumerated().map { index, value in
            let total = sum.map { self.sum($0, value) } ?? value
            sum = total
            guard index > 0 else { return total }
            return add("Div", [total, constant(.floats([Float(index + 1)]), shape: [])])
        }
    }

    /// The same numbers for each image, `[N, …]`.
    ///
    /// - Parameters:
    ///   - shape: Of one image's.
    ///   - images: What has N as its first dimension.
    mutating func repeated(
        _ numbers: GraphValue, shape: [Int], images: GraphValue
    ) -> GraphValue {
        let count = add("Shape", [images], ["start": .integer(0), "end": .integer(1)])
        return add(
            "Expand", [numbers, concatenated([count, constant(.integers(shape))], axis: 0)])
    }
}
