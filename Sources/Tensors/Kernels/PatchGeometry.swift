/// Moves rows between an image and the matrix of patches that a convolution multiplies.
///
/// Rows of numbers; `k` is the kernel's side, d its dilation, s its stride. The patch of output
/// (i, j) holds input pixels (s·i + offset + d·u, s·j + offset + d·v), u and v in 0..<k, u slowest.
public struct PatchGeometry: Equatable, Sendable {
    /// The kernel's side, in taps.
    public let kernel: Int
    /// The distance of neighbouring outputs, in input pixels.
    public let stride: Int
    /// The distance of neighbouring taps, in input pixels.
    public let dilation: Int
    /// Where output (0, 0) has its first tap: 0 for a valid convolution, −d for a same one,
    /// +1 for a pointwise one on a cropped input.
    public let offset: Int

    /// Describes a convolution's taps.
    public init(kernel: Int, stride: Int = 1, dilation: Int = 1, offset: Int = 0) {
        (self.kernel, self.stride, self.dilation) = (kernel, stride, dilation)
        self.offset = offset
    }

    /// The distance from a patch's first to its last pixel.
    public var reach: Int { dilation * (kernel - 1) }

    /// The output's side for an input's side; the same margin is left at both ends.
    public func outputSize(_ inputSize: Int) -> Int {
        (inputSize - 2 * offset - reach - 1) / stride + 1
    }

    /// The input rows that the output rows `rows` read, clipped to `0..<inputHeight`.
    public func inputRows(of rows: Range<Int>, inputHeight: Int) -> Range<Int> {
        let first = stride * rows.lowerBound + offset
        let last = stride * (rows.upperBound - 1) + offset + reach
        return max(0, first)..<max(max(0, first), min(inputHeight, last + 1))
    }

    /// Gathers the patches of output rows `outputRows` into `patches`,
    /// `[rows · outputWidth, k·k·C]`.
    ///
    /// `input` holds the image's rows from `firstInputRow` on, `[rows, inputWidth, C]`; taps outside
    /// the image read 0.
    @_specialize(where Element == Float)
    @_specialize(where Element == BFloat16)
    public func gather<Element: StorageElement>(
        from input: UnsafePointer<Element>, firstInputRow: Int,
        inputHeight: Int, inputWidth: Int, channels: Int,
        outputRows: Range<Int>, outputWidth: Int, into patches: UnsafeMutablePointer<Element>
    ) {
        var patch = patches
        if isInside(outputRows, outputWidth, inputHeight: inputHeight, inputWidth: inputWidth) {
            gatherRuns(
                from: input, firstInputRow: firstInputRow, inputWidth: inputWidth,
                channels: channels, outputRows: outputRows, outputWidth: outputWidth, into: patches)
            return
        }
        let zero = Element(narrowing: 0)
        for i in outputRows {
            for j in 0..<outputWidth {
                for u in 0..<kernel {
                    let y = stride * i + offset + dilation * u
                    guard y >= 0 && y < inputHeight else {
                        patch.update(repeating: zero, count: kernel * channels)
                        patch += kernel * channels
                        continue
                    }
                    let row = input + (y - firstInputRow) * inputWidth * channels
                    let x = stride * j + offset
                    if dilation == 1 && x >= 0 && x + kernel <= inputWidth {
                        Self.copy(row + x * channels, to: patch, count: kernel * channels)
                        patch += kernel * channels
                        continue
                    }
                    for v in 0..<kernel {
                        let column = x + dilation * v
                        if column >= 0 && column < inputWidth {
                            Self.copy(row + column * channels, to: patch, count: channels)
                        } else {
                            patch.update(repeating: zero, count: channels)
                        }
                        patch += channels
                    }
                }
            }
        }
    }

    /// Gathers patches whose rows of taps are runs of memory, all inside the image.
    @inline(__always)
    private func gatherRuns<Element: StorageElement>(
        from input: UnsafePointer<Element>, firstInputRow: Int, inputWidth: Int, channels: Int,
        outputRows: Range<Int>, outputWidth: Int, into patches: UnsafeMutablePointer<Element>
    ) {
        let (runCount, step) = (kernel * channels, stride * channels)
        let size = MemoryLayout<Element>.stride
        // Whole vectors are moved where that is safe: what is too much is overwritten by the next
        // run, and lies within the rows, but for the last patches.
        let isSafe = min(kernel * runCount, stride * inputWidth * channels) * size >= Self.moveSize
        let exactCount = isSafe ? Self.moveSize / (step * size) + 1 : outputWidth
        var patch = patches
        for i in outputRows {
            var first =
                input + ((stride * i + offset - firstInputRow) * inputWidth + offset) * channels
            let isExact = !isSafe || i == outputRows.upperBound - 1
            let exact = isExact ? min(outputWidth, exactCount) : 0
            for _ in 0..<(outputWidth - exact) {
                var run = first
                for _ in 0..<kernel {
                    Self.copyBeyond(run, to: patch, count: runCount)
                    run += inputWidth * channels
                    patch += runCount
                }
                first += step
            }
            for _ in 0..<exact {
                var run = first
                for _ in 0..<kernel {
                    Self.copy(run, to: patch, count: runCount)
                    run += inputWidth * channels
                    patch += runCount
                }
                first += step
            }
        }
    }

    private static var moveSize: Int { MemoryLayout<SIMD8<UInt32>>.size }

    /// Copies `count` elements, and up to a vector more.
    @inline(__always)
    private static func copyBeyond<Element: StorageElement>(
        _ source: UnsafePointer<Element>, to target: UnsafeMutablePointer<Element>, count: Int
    ) {
        let (source, target) = (UnsafeRawPointer(source), UnsafeMutableRawPointer(target))
        let byteCount = count * MemoryLayout<Element>.stride
        var byte = 0
        while byte < byteCount {
            target.storeBytes(
                of: source.loadUnaligned(fromByteOffset: byte, as: SIMD8<UInt32>.self),
                toByteOffset: byte, as: SIMD8<UInt32>.self)
            byte += moveSize
        }
    }

    /// Adds the gradients of patches back to the pixels that they were gathered from.
    ///
    /// The exact reverse of `gather`: `input` is added to, taps outside the image are dropped.
    public func scatter(
        _ patches: UnsafePointer<Float>, outputRows: Range<Int>, outputWidth: Int,
        addingTo input: UnsafeMutablePointer<Float>, firstInputRow: Int,
        inputHeight: Int, inputWidth: Int, channels: Int
    ) {
        var patch = patches
        for i in outputRows {
            for j in 0..<outputWidth {
                for u in 0..<kernel {
                    let y = stride * i + offset + dilation * u
                    guard y >= 0 && y < inputHeight else {
                        patch += kernel * channels
                        continue
                    }
                    let row = input + (y - firstInputRow) * inputWidth * channels
                    let x = stride * j + offset
                    if dilation == 1 && x >= 0 && x + kernel <= inputWidth {
                        Self.add(patch, to: row + x * channels, count: kernel * channels)
                        patch += kernel * channels
                        continue
                    }
                    for v in 0..<kernel {
                        let column = x + dilation * v
                        if column >= 0 && column < inputWidth {
                            Self.add(patch, to: row + column * channels, count: channels)
                        }
                        patch += channels
                    }
                }
            }
        }
    }

    @inline(__always)
    private static func copy<Element: StorageElement>(
        _ source: UnsafePointer<Element>, to target: UnsafeMutablePointer<Element>, count: Int
    ) {
        let (source, target) = (UnsafeRawPointer(source), UnsafeMutableRawPointer(target))
        let byteCount = count * MemoryLayout<Element>.stride
        var byte = 0
        @inline(__always)
        func move<Part: BitwiseCopyable>(_: Part.Type) {
            target.storeBytes(
                of: source.loadUnaligned(fromByteOffset: byte, as: Part.self), toByteOffset: byte,
                as: Part.self)
            byte += MemoryLayout<Part>.size
        }
        // A cache line at a time, then what is left by halves.
        while byte + 64 <= byteCount { move(SIMD16<UInt32>.self) }
        if byteCount & 32 != 0 { move(SIMD8<UInt32>.self) }
        if byteCount & 16 != 0 { move(SIMD4<UInt32>.self) }
        if byteCount & 8 != 0 { move(UInt64.self) }
        if byteCount & 4 != 0 { move(UInt32.self) }
        if byteCount & 2 != 0 { move(UInt16.self) }
    }

    /// Whether runs of taps are runs of memory and none lies outside the image.
    private func isInside(
        _ outputRows: Range<Int>, _ outputWidth: Int, inputHeight: Int, inputWidth: Int
    ) -> Bool {
        dilation == 1 && offset >= 0
            && stride * (outputRows.upperBound - 1) + offset + reach < inputHeight
            && stride * (outputWidth - 1) + offset + reach < inputWidth
    }

    @inline(__always)
    private static func add(
        _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, count: Int
    ) {
        var index = 0
        while index + 16 <= count {
            Float.storeBlock(
                Float.loadBlock(target + index) + Float.loadBlock(source + index),
                to: target + index)
            index += 16
        }
        while index < count {
            target[index] += source[index]
            index += 1
        }
    }
}
