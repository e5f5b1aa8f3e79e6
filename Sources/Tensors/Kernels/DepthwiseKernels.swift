import CWindows

/// Sums over windows of pixels, each channel for itself: what depthwise convolutions and average
/// pooling do with an image, 16 channels at a time.
///
/// The pixels of these channels, with their margins, lie in a tile that stays in the nearest cache.
/// The loops use the widest vectors that the processor has; the bits are the same with any.
public enum DepthwiseKernels {
    /// Where windows are read and what comes of them is written, in floats.
    public struct Windows {
        /// The windows' first pixels in the tile.
        public var sources: UnsafeMutablePointer<Int32>
        /// The first row of each window that is inside the image.
        public var firstRows: UnsafeMutablePointer<Int32>
        /// The row after the last one that is.
        public var endRows: UnsafeMutablePointer<Int32>
        /// Where the windows' sums, or gradients, lie.
        public var results: UnsafeMutablePointer<Int32>

        /// Names four tables, a number for each window.
        public init(
            sources: UnsafeMutablePointer<Int32>, firstRows: UnsafeMutablePointer<Int32>,
            endRows: UnsafeMutablePointer<Int32>, results: UnsafeMutablePointer<Int32>
        ) {
            (self.sources, self.firstRows) = (sources, firstRows)
            (self.endRows, self.results) = (endRows, results)
        }

        /// The windows from number `index` on.
        public func suffix(from index: Int) -> Windows {
            Windows(
                sources: sources + index, firstRows: firstRows + index, endRows: endRows + index,
                results: results + index)
        }
    }

    /// Memory that the loops fetch meanwhile: what comes after a band, each block its part of it.
    public struct Ahead {
        var lines = saccader_ahead()

        /// Nothing.
        public init() {}

        /// A block's part of what lies after the first `count` numbers at each place.
        public init<Element: StorageElement>(
            _ first: (place: UnsafePointer<Element>, count: Int),
            _ second: (place: UnsafePointer<Element>, count: Int), block: Int, of blockCount: Int
        ) {
            (lines.first, lines.firstLines) = Self.part(first, block, blockCount)
            (lines.second, lines.secondLines) = Self.part(second, block, blockCount)
        }

        private static func part<Element: StorageElement>(
            _ stretch: (place: UnsafePointer<Element>, count: Int), _ block: Int, _ blockCount: Int
        ) -> (UnsafeRawPointer, Int) {
            let numbers = 64 / MemoryLayout<Element>.stride
            let lines = (stretch.count + numbers - 1) / numbers
            let first = lines * block / blockCount
            return (
                UnsafeRawPointer(stretch.place + stretch.count) + first * 64,
                lines * (block + 1) / blockCount - first
            )
        }
    }

    /// Channels of a tile.
    public static let blockChannels = 16

    /// Blocks of `channels` channels. The last one begins earlier where it would not be full.
    public static func blockCount(_ channels: Int) -> Int {
        (channels + blockChannels - 1) / blockChannels
    }

    /// The first channel of a block.
    public static func firstChannel(ofBlock block: Int, of channels: Int) -> Int {
        max(0, min(block * blockChannels, channels - blockChannels))
    }

    /// `output[window] = Σ over its pixels of weights · pixel`, row by row.
    ///
    /// - Parameters:
    ///   - columns: Pixels of a window's row: 1 to 5, or 7.
    ///   - rowLength: Floats of a row of the tile.
    ///   - step: Floats between the weights of neighbouring pixels; 0: all have the same.
    public static func sum(
        _ windows: Windows, count: Int, columns: Int, tile: UnsafePointer<Float>, rowLength: Int,
        weights: UnsafePointer<Float>, step: Int, into output: UnsafeMutablePointer<Float>,
        ahead: Ahead
    ) {
        var lines = ahead.lines
        saccader_window_sums(
            tile, windows.sources, windows.firstRows, windows.endRows, count, columns, rowLength,
            weights, step, output, windows.results, &lines)
    }

    /// `sums[u, v] += Σ over windows of gradient[window] · pixel (u, v) of the window`.
    public static func addProducts(
        _ windows: Windows, count: Int, kernel: Int, tile: UnsafePointer<Float>, rowLength: Int,
        gradient: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Float>, ahead: Ahead
    ) {
        var lines = ahead.lines
        saccader_window_products(
            tile, windows.sources, gradient, windows.results, count, kernel, rowLength, sums,
            &lines)
    }
}
