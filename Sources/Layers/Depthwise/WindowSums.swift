import Tensors

/// Weighted sums over windows of an image, each channel for itself, and the way back: the rows of
/// an image are widened, with their note, into a ring of padded rows that stays in the cache.
///
/// A depthwise convolution has weights; average pooling has ones.
struct WindowSums: Sendable {
    let padding: SamePadding
    let input: Shape
    let output: Shape
    /// Channels, padded to whole vectors.
    let width: Int
    /// Whether every tap has weights of its own, or all the same.
    let hasWeights: Bool

    init(_ padding: SamePadding, input: Shape, hasWeights: Bool) {
        (self.padding, self.input, self.hasWeights) = (padding, input, hasWeights)
        output = Shape(
            input.images, padding.outputSize(input.height), padding.outputSize(input.width),
            input.channels)
        width = DepthwiseKernels.paddedChannels(input.channels)
    }

    private var taps: Int { padding.kernel * padding.kernel }

    /// Pixels of a ring's row that read the input: margins and pixels, and what a last window
    /// reaches beyond.
    private var inputPixels: Int {
        let before = padding.before(input.width)
        let reach = (output.width - 1) * padding.stride + padding.kernel
        return max(before + input.width, reach)
    }

    /// Pixels before the first output in a ring's row that reads outputs.
    private var outputMargin: Int { (padding.kernel - 1) / padding.stride }

    /// Pixels of a ring's row that reads outputs.
    private var outputPixels: Int {
        let last = (input.width - 1 + padding.before(input.width)) / padding.stride
        return outputMargin + max(output.width, last + 1)
    }

    private var ringCount: Int { padding.kernel * max(inputPixels, outputPixels) * width }
    private var rowCount: Int { max(input.width, output.width) * width }

    /// Floats of scratch memory that any of the passes needs.
    var scratchCount: Int { 2 * taps * width + ringCount + 2 * rowCount }

    /// A thread's scratch memory while it works on one image after the other.
    struct Scratch {
        /// `[k·k, C]`, padded, or one row of ones.
        let weights: UnsafeMutablePointer<Float>
        /// The kernel's gradient, `[k·k, C]`, padded.
        let sums: UnsafeMutablePointer<Float>
        fileprivate let ring: UnsafeMutablePointer<Float>
        /// A padded row of pixels.
        let row: UnsafeMutablePointer<Float>
        /// A row of pixels as it lies in storage.
        let dense: UnsafeMutablePointer<Float>
    }

    /// Divides scratch memory, and widens the weights `[k, k, C]` into it; without weights, ones.
    func divide(
        _ scratch: UnsafeMutablePointer<Float>, weights: UnsafePointer<Float>?
    ) -> Scratch {
        let sums = scratch + taps * width
        let ring = sums + taps * width
        let row = ring + ringCount
        if let weights {
            PaddedPixels.widen(
                weights, affine: nil, rectify: false, pixels: taps, channels: input.channels,
                into: scratch)
        } else {
            scratch.update(repeating: 1, count: width)
        }
        sums.update(repeating: 0, count: taps * width)
        return Scratch(
            weights: scratch, sums: sums, ring: ring, row: row, dense: row + rowCount)
    }

    private func weights(_ tap: Int, _ scratch: Scratch) -> UnsafePointer<Float> {
        UnsafePointer(scratch.weights + (hasWeights ? tap * width : 0))
    }

    /// Runs `body` for each row of windows of an image with where each tap of it reads; taps
    /// beyond the upper and lower border are left out, those beside read zeros.
    ///
    /// - Parameter body: Gets the row of outputs, and the tap's number and first source of each.
    func forEachRow<Element: StorageElement>(
        ofImage image: Int, _ activation: Activation<Element>, _ scratch: Scratch,
        _ body: (_ row: Int, _ taps: [(tap: Int, source: UnsafeMutablePointer<Float>)]) -> Void
    ) {
        let (kernel, before) = (padding.kernel, padding.before(input.height))
        let (left, rowLength) = (padding.before(input.width), inputPixels * width)
        scratch.ring.update(repeating: 0, count: kernel * rowLength)
        var taps: [(tap: Int, source: UnsafeMutablePointer<Float>)] = []
        taps.reserveCapacity(kernel * kernel)
        var loaded = 0
        for i in 0..<output.height {
            let top = padding.stride * i - before
            for y in max(loaded, top)..<max(loaded, top, min(input.height, top + kernel)) {
                let first = (image * input.height + y) * input.width
                PaddedPixels.widen(
                    activation.raw.row(first), affine: activation.note?.affine,
                    rectify: activation.note?.rectified ?? false, pixels: input.width,
                    channels: input.channels,
                    into: scratch.ring + y % kernel * rowLength + left * width)
            }
            loaded = max(loaded, top + kernel)
            taps.removeAll(keepingCapacity: true)
            for u in 0..<kernel where top + u >= 0 && top + u < input.height {
                let row = scratch.ring + (top + u) % kernel * rowLength
                for v in 0..<kernel { taps.append((u * kernel + v, row + v * width)) }
            }
            body(i, taps)
        }
    }

    /// Runs `body` for each row of outputs, whose sums are in `scratch.row`, padded.
    func forward<Element: StorageElement>(
        image: Int, _ activation: Activation<Element>, _ scratch: Scratch,
        _ body: (_ row: Int) -> Void
    ) {
        forEachRow(ofImage: image, activation, scratch) { row, sources in
            let taps = sources.map {
                DepthwiseKernels.Tap(source: $0.source, weights: weights($0.tap, scratch))
            }
            taps.withUnsafeBufferPointer {
                DepthwiseKernels.sum(
                    $0, count: output.width, step: padding.stride * width, channels: width,
                    into: scratch.row, outputStep: width)
            }
            body(row)
        }
    }

    /// Adds an image's part of the kernel's gradient to `scratch.sums`.
    func addKernelGradient<Element: StorageElement>(
        image: Int, _ gradient: Activation<Element>, input activation: Activation<Element>,
        _ scratch: Scratch
    ) {
        forEachRow(ofImage: image, activation, scratch) { row, sources in
            widen(gradient, image: image, row: row, into: scratch.row)
            let taps = sources.map {
                DepthwiseKernels.GradientTap(
                    source: UnsafePointer($0.source), sums: scratch.sums + $0.tap * width)
            }
            taps.withUnsafeBufferPointer {
                DepthwiseKernels.addProducts(
                    $0, gradient: scratch.row, count: output.width, step: padding.stride * width,
                    channels: width)
            }
        }
    }

    /// Runs `body` for each row of the input, whose gradient is in `scratch.dense`, `[W, C]`.
    ///
    /// - Parameter factor: Of each output's gradient; nil: 1.
    func backward<Element: StorageElement>(
        image: Int, _ gradient: Activation<Element>, _ scratch: Scratch,
        factor: ((_ row: Int, _ column: Int) -> Float)?, _ body: (_ row: Int) -> Void
    ) {
        let (kernel, stride) = (padding.kernel, padding.stride)
        let (before, left) = (padding.before(input.height), padding.before(input.width))
        let rowLength = outputPixels * width
        scratch.ring.update(repeating: 0, count: kernel * rowLength)
        var loaded = 0
        var taps: [DepthwiseKernels.Tap] = []
        taps.reserveCapacity(kernel * kernel)
        for y in 0..<input.height {
            while loaded < output.height && loaded <= (y + before) / stride {
                let target =
                    scratch.ring + loaded % kernel * rowLength + outputMargin * width
                widen(gradient, image: image, row: loaded, into: target)
                if let factor {
                    for column in 0..<output.width {
                        PaddedPixels.scale(
                            target + column * width, by: factor(loaded, column), channels: width)
                    }
                }
                loaded += 1
            }
            // Output (i, j) read pixel (y, x) with tap (u, v): y = s·i + u − before. Pixels of like
            // remainder read the same taps.
            for remainder in 0..<min(stride, input.width) {
                let x = ((remainder - left) % stride + stride) % stride
                taps.removeAll(keepingCapacity: true)
                for u in 0..<kernel where (y + before - u) % stride == 0 && y + before >= u {
                    let i = (y + before - u) / stride
                    if i >= output.height { continue }
                    let row = scratch.ring + i % kernel * rowLength + outputMargin * width
                    for v in Swift.stride(from: remainder, to: kernel, by: stride) {
                        taps.append(
                            .init(
                                source: row + (x + left - v) / stride * width,
                                weights: weights(u * kernel + v, scratch)))
                    }
                }
                if x >= input.width { continue }
                taps.withUnsafeBufferPointer {
                    DepthwiseKernels.sum(
                        $0, count: (input.width - x + stride - 1) / stride, step: width,
                        channels: width, into: scratch.row + x * width,
                        outputStep: stride * width)
                }
            }
            PaddedPixels.narrow(
                scratch.row, pixels: input.width, channels: input.channels, into: scratch.dense)
            body(y)
        }
    }

    private func widen<Element: StorageElement>(
        _ gradient: Activation<Element>, image: Int, row: Int,
        into target: UnsafeMutablePointer<Float>
    ) {
        PaddedPixels.widen(
            gradient.raw.row((image * output.height + row) * output.width), affine: nil,
            rectify: false, pixels: output.width, channels: output.channels, into: target)
    }
}
