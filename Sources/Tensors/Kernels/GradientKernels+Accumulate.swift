extension GradientKernels {
    /// `result += gradient`, where a mask is given only where the ReLU's input is positive.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public static func accumulate<Element: StorageElement>(
        _ gradient: UnsafePointer<Float>, mask: Mask<Element>?, rows: Int, channels: Int,
        to result: UnsafeMutablePointer<Element>
    ) {
        @inline(__always)
        func strip(_ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _: Int) {
            let affine = mask?.affine.map { $0.loaded(channel, lanes) }
            var position = position
            for _ in 0..<rowCount {
                var value = Float.load(gradient + position, lanes: lanes)
                if let mask {
                    let raw = Element.load(mask.raw + position, lanes: lanes)
                    value = value.kept(wherePositive: affine.map { $0(raw) } ?? raw)
                }
                Element.store(
                    value + Element.load(result + position, lanes: lanes), to: result + position,
                    lanes: lanes)
                position += channels
            }
        }
        RowWalk.strips(rows: rows, channels: channels, count: Element.stripCount, strip)
    }
}
