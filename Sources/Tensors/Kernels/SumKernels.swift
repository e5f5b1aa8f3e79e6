/// A residual block's output: the one activation that is written rectified.
public enum SumKernels {
    /// `result = relu(affine(main) + residual)` over rows `[rows, C]`.
    ///
    /// - Parameters:
    ///   - main: Raw outputs of the block's last convolution.
    ///   - affine: Its batch norm.
    ///   - residual: What the shortcut carries.
    ///   - residualAffine: The shortcut's batch norm, or nil for the values themselves.
    ///   - rectifyResidual: Whether the shortcut carries an activation not yet rectified.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func addRectified<Element: StorageElement>(
        _ main: UnsafePointer<Element>, affine: RowKernels.Affine,
        residual: UnsafePointer<Element>, residualAffine: RowKernels.Affine?,
        rectifyResidual: Bool, rows: Int, channels: Int,
        into result: UnsafeMutablePointer<Element>
    ) {
        if let residualAffine {
            @inline(__always)
            func block(_ position: Int, _ channel: Int, _ lanes: Int) {
                let carried = residualAffine(
                    Element.stream(residual + position, lanes: lanes), channel: channel,
                    lanes: lanes)
                let value = affine(
                    Element.stream(main + position, lanes: lanes), channel: channel, lanes: lanes)
                let sum = value + (rectifyResidual ? carried.rectified : carried)
                Element.store(sum.rectified, to: result + position, lanes: lanes)
            }
            RowWalk.blocks(rows: rows, channels: channels, block)
        } else {
            @inline(__always)
            func block(_ position: Int, _ channel: Int, _ lanes: Int) {
                let carried = Element.stream(residual + position, lanes: lanes)
                let value = affine(
                    Element.stream(main + position, lanes: lanes), channel: channel, lanes: lanes)
                let sum = value + (rectifyResidual ? carried.rectified : carried)
                Element.store(sum.rectified, to: result + position, lanes: lanes)
            }
            RowWalk.blocks(rows: rows, channels: channels, block)
        }
    }
}
