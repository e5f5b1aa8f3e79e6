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
        @inline(__always)
        func add(
            _ main: SIMD16<Float>, _ carried: SIMD16<Float>, at position: Int, lanes: Int,
            ahead: Int
        ) {
            let sum = main + (rectifyResidual ? carried.rectified : carried)
            Element.streamStore(sum.rectified, to: result, position, lanes: lanes, ahead: ahead)
        }
        if let residualAffine {
            @inline(__always)
            func strip(_ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _ ahead: Int)
            {
                let affine = affine.loaded(channel, lanes)
                let residualAffine = residualAffine.loaded(channel, lanes)
                var position = position
                var ahead = ahead
                for _ in 0..<rowCount {
                    add(
                        affine(Element.stream(main, position, lanes: lanes, ahead: ahead)),
                        residualAffine(
                            Element.stream(residual, position, lanes: lanes, ahead: ahead)),
                        at: position, lanes: lanes, ahead: ahead)
                    position += channels
                    ahead += 16
                }
            }
            RowWalk.strips(rows: rows, channels: channels, count: Element.stripCount, strip)
        } else {
            @inline(__always)
            func strip(_ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _ ahead: Int)
            {
                let affine = affine.loaded(channel, lanes)
                var position = position
                var ahead = ahead
                for _ in 0..<rowCount {
                    add(
                        affine(Element.stream(main, position, lanes: lanes, ahead: ahead)),
                        Element.stream(residual, position, lanes: lanes, ahead: ahead),
                        at: position, lanes: lanes, ahead: ahead)
                    position += channels
                    ahead += 16
                }
            }
            RowWalk.strips(rows: rows, channels: channels, count: Element.stripCount, strip)
        }
    }
}
