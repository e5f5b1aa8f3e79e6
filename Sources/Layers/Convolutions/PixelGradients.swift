import Tensors

/// The sum of overlapping patches' gradients, a window of input rows that moves down an image.
struct PixelGradients {
    private let geometry: PatchGeometry
    private let input: Shape
    private let outputHeight: Int
    private let windowHeight: Int
    private let window: UnsafeMutablePointer<Float>
    private var firstRow = 0

    /// Describes the window.
    ///
    /// - Parameters:
    ///   - windowHeight: Input rows that a chunk of output rows adds to, at most.
    ///   - window: Room for as many, `[windowHeight, W, C]`.
    init(
        _ geometry: PatchGeometry, input: Shape, outputHeight: Int, windowHeight: Int,
        window: UnsafeMutablePointer<Float>
    ) {
        (self.geometry, self.input) = (geometry, input)
        (self.outputHeight, self.windowHeight) = (outputHeight, windowHeight)
        self.window = window
    }

    /// Adds a chunk's gradients and hands over the input rows that no later chunk adds to.
    ///
    /// - Parameters:
    ///   - scatter: Adds to the window, which starts with the input row that is named.
    ///   - finish: Takes finished values and their flat rows.
    mutating func add(
        outputRows: Range<Int>, image: Int,
        scatter: (_ window: UnsafeMutablePointer<Float>, _ firstInputRow: Int) -> Void,
        finish: (UnsafeMutablePointer<Float>, Range<Int>) -> Void
    ) {
        let rowCount = input.width * input.channels
        if outputRows.lowerBound == 0 {
            firstRow = 0
            window.update(repeating: 0, count: windowHeight * rowCount)
        }
        scatter(window, firstRow)
        let isLast = outputRows.upperBound == outputHeight
        let nextTap = geometry.stride * outputRows.upperBound + geometry.offset
        let end = isLast ? input.height : min(input.height, max(firstRow, nextTap))
        let finished = end - firstRow
        guard finished > 0 else { return }
        let first = (image * input.height + firstRow) * input.width
        finish(window, first..<(first + finished * input.width))
        // What is left of the window moves to its front.
        let left = windowHeight - finished
        if left > 0 {
            window.update(from: window + finished * rowCount, count: left * rowCount)
        }
        (window + max(0, left) * rowCount).update(
            repeating: 0, count: min(finished, windowHeight) * rowCount)
        firstRow = end
    }
}
