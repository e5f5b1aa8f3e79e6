import Layers
import Tensors

/// What a cell computes: five sums of two branches each.
package struct CellPlan: Sendable {
    /// What a branch reads.
    package enum Source: Hashable, Sendable {
        /// The cell's first input, brought to its filters.
        case current
        /// The cell's second input.
        case previous
        /// The sum of an earlier pair.
        case pair(Int)
    }

    /// What a branch does.
    package enum Operation: Sendable {
        /// A stack of separable convolutions of this side.
        case separable(Int)
        /// The mean, or the largest value, of 3×3 pixels.
        case average, maximum
        /// The value itself.
        case identity
    }

    package struct Branch: Sendable {
        package let operation: Operation
        package let source: Source

        init(_ operation: Operation, _ source: Source) {
            (self.operation, self.source) = (operation, source)
        }
    }

    /// Left and right branch of each pair.
    package let pairs: [[Branch]]
    /// The stride of branches that read the cell's inputs.
    let stride: Int
    /// What the output's channels are made of, one part after the other.
    package let outputs: [Source]

    /// A cell that keeps the size.
    static let normal = CellPlan(
        pairs: [
            [Branch(.separable(5), .current), Branch(.separable(3), .previous)],
            [Branch(.separable(5), .previous), Branch(.separable(3), .previous)],
            [Branch(.average, .current), Branch(.identity, .previous)],
            [Branch(.average, .previous), Branch(.average, .previous)],
            [Branch(.separable(3), .current), Branch(.identity, .current)],
        ], stride: 1,
        outputs: [.previous, .pair(0), .pair(1), .pair(2), .pair(3), .pair(4)])

    /// A cell that halves it.
    static let reduction = CellPlan(
        pairs: [
            [Branch(.separable(5), .current), Branch(.separable(7), .previous)],
            [Branch(.maximum, .current), Branch(.separable(7), .previous)],
            [Branch(.average, .current), Branch(.separable(5), .previous)],
            [Branch(.identity, .pair(1)), Branch(.average, .pair(0))],
            [Branch(.separable(3), .pair(0)), Branch(.maximum, .current)],
        ], stride: 2, outputs: [.pair(1), .pair(2), .pair(3), .pair(4)])

    /// The windows of a branch.
    package func padding(_ branch: Branch) -> SamePadding {
        let stride = if case .pair = branch.source { 1 } else { stride }
        if case .separable(let side) = branch.operation {
            return SamePadding(kernel: side, stride: stride)
        }
        return SamePadding(kernel: 3, stride: stride)
    }
}
