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
        let floor: Float = rectifyResidual ? 0 : -.infinity
        let floors = SIMD16<Float>(repeating: floor)
        let zero = SIMD16<Float>(repeating: 0)
        var channel = 0
        while channel + 16 <= channels {
            let scale = RowKernels.block(affine.scale, channel)
            let shift = RowKernels.block(affine.shift, channel)
            let factor =
                residualAffine.map { RowKernels.block($0.scale, channel) }
                ?? SIMD16(repeating: 1)
            let offset = residualAffine.map { RowKernels.block($0.shift, channel) } ?? zero
            var position = channel
            for _ in 0..<rows {
                let carried = offset.addingProduct(factor, Element.loadBlock(residual + position))
                let sum =
                    shift.addingProduct(scale, Element.loadBlock(main + position))
                    + carried.raised(to: floors)
                Element.storeBlock(RowKernels.rectified(sum), to: result + position)
                position += channels
            }
            channel += 16
        }
        while channel < channels {
            let (scale, shift) = (affine.scale[channel], affine.shift[channel])
            let factor = residualAffine.map { $0.scale[channel] } ?? 1
            let offset = residualAffine.map { $0.shift[channel] } ?? 0
            for row in 0..<rows {
                let position = row * channels + channel
                let carried = offset.addingProduct(factor, residual[position].widened)
                let sum =
                    shift.addingProduct(scale, main[position].widened)
                    + (carried < floor ? floor : carried)
                result[position] = Element(narrowing: sum < 0 ? 0 : sum)
            }
            channel += 1
        }
    }
}
