import CWindows

/// Sums over windows of pixels, each channel for itself: what depthwise convolutions and average
/// pooling do with an image, 16 channels at a time.
///
/// Rows of these channels' pixels are widened into a tile, in which the rows of a window stay until
/// the last window has read them. The loops use the widest vectors that the processor has; the bits
/// are the same with any.
public enum DepthwiseKernels {
    /// An image's pixels, `[H, W, C]`, and what is done to them when they are read.
    public struct Pixels {
        let pixels: saccader_pixels

        /// `factor · relu?(scale·pixel + shift)`.
        ///
        /// - Parameters:
        ///   - affine: Scale and shift; nil: the pixel itself.
        ///   - factors: A number for each pixel; nil: 1.
        public init<Element: StorageElement>(
            _ first: UnsafePointer<Element>, of shape: Shape, affine: RowKernels.Affine? = nil,
            rectify: Bool = false, factors: UnsafePointer<Float>? = nil
        ) {
            pixels = saccader_pixels(
                pixels: first, height: shape.height, width: shape.width, channels: shape.channels,
                narrow: Element.self != Float.self, rectify: rectify, scale: affine?.scale,
                shift: affine?.shift, factors: factors)
        }
    }

    /// Scratch memory for rows of 16 channels.
    public struct Tile {
        let tile: saccader_tile

        /// Names `rows` rows of `rowLength` floats, which are zeros where no pixel comes to lie.
        ///
        /// - Parameters:
        ///   - firstRow: The row of the image, possibly above it, that the first window row is.
        ///   - margin: Pixels of zeros before the first of each row.
        public init(
            _ floats: UnsafeMutablePointer<Float>, rows: Int, rowLength: Int, firstRow: Int,
            margin: Int
        ) {
            tile = saccader_tile(
                floats: floats, rows: rows, length: rowLength, first: firstRow, margin: margin)
        }
    }

    /// Weights of windows' pixels, `[rows, columns, C]`; 16 channels can be read of each.
    public struct Weights {
        let first: UnsafePointer<Float>
        let row: Int
        let column: Int

        /// Names weights whose rows and columns lie `row` and `column` floats apart.
        public init(_ first: UnsafePointer<Float>, row: Int, column: Int) {
            (self.first, self.row, self.column) = (first, row, column)
        }

        /// Every `stride`th one, backward, from the one in (`row`, `column`) on.
        public func reversed(fromRow row: Int, column: Int, stride: Int) -> Weights {
            Weights(
                first + row * self.row + column * self.column, row: -stride * self.row,
                column: -stride * self.column)
        }
    }

    /// Windows in rows and columns.
    public struct Windows {
        var windows: saccader_windows

        /// Describes windows over a tile.
        ///
        /// - Parameters:
        ///   - top, left: The first window's first row and pixel in the tile.
        ///   - stride: From one window to the next, 1 or 2.
        ///   - height, width: A window's sides; the width is 1 to 5 or 7.
        public init(
            rows: Int, columns: Int, top: Int = 0, left: Int = 0, stride: Int, height: Int,
            width: Int, result: Results
        ) {
            windows = saccader_windows(
                rows: rows, columns: columns, top: top, left: left, stride: stride, height: height,
                width: width, weights: nil, weights_row: 0, weights_column: 0,
                result: result.first, result_row: result.row, result_column: result.column)
        }
    }

    /// Where windows' results lie, in pixels: the first window's, and from one to the next.
    public struct Results {
        let first: Int
        let row: Int
        let column: Int

        /// Names the steps from row to row and from column to column.
        public init(first: Int = 0, row: Int, column: Int = 1) {
            (self.first, self.row, self.column) = (first, row, column)
        }
    }

    /// Memory that the loops fetch meanwhile: what comes next.
    public struct Ahead {
        let lines: saccader_ahead

        /// Nothing.
        public init() { lines = saccader_ahead() }

        /// The first numbers at each of two places.
        public init<Element: StorageElement>(
            _ first: (place: UnsafePointer<Element>, count: Int),
            _ second: (place: UnsafePointer<Element>, count: Int)
        ) {
            func lines(_ count: Int) -> Int { (count * MemoryLayout<Element>.stride + 63) / 64 }
            self.lines = saccader_ahead(
                first: first.place, first_lines: lines(first.count), second: second.place,
                second_lines: lines(second.count))
        }
    }

    /// Lanes of the vectors that are used.
    static let lanes = saccader_window_lanes()

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

    /// `result = factor · Σ over each window's pixels inside the image of weights · pixel`.
    ///
    /// - Parameters:
    ///   - windows: All windows, and their weights.
    ///   - result: `[pixels, C]`.
    ///   - factors: A number for each result; nil: 1.
    public static func sum<Element: StorageElement>(
        _ pixels: Pixels, tile: Tile, _ windows: [(windows: Windows, weights: Weights)],
        into result: UnsafeMutablePointer<Element>, factors: UnsafePointer<Float>? = nil,
        ahead: Ahead = Ahead()
    ) {
        sum(
            pixels, tile: tile, windows, into: result, factors: factors, ahead: ahead, lanes: lanes)
    }

    /// The same with vectors of 16 or 8 `lanes`.
    static func sum<Element: StorageElement>(
        _ pixels: Pixels, tile: Tile, _ windows: [(windows: Windows, weights: Weights)],
        into result: UnsafeMutablePointer<Element>, factors: UnsafePointer<Float>?,
        ahead: Ahead, lanes: Int32
    ) {
        let all = windows.map { pair in
            var windows = pair.windows.windows
            windows.weights = pair.weights.first
            (windows.weights_row, windows.weights_column) = (pair.weights.row, pair.weights.column)
            return windows
        }
        withUnsafePointer(to: pixels.pixels) { pixels in
            withUnsafePointer(to: tile.tile) { tile in
                withUnsafePointer(to: ahead.lines) { lines in
                    var sums = saccader_sums(
                        pixels: result, narrow: Element.self != Float.self, factors: factors)
                    saccader_window_sums(
                        pixels, tile, all, all.count, &sums, lines, lanes)
                }
            }
        }
    }

    /// `sums[block, u, v] += Σ over windows of gradient · pixel (u, v) of the window`; the tile holds
    /// all of the windows' rows.
    ///
    /// - Parameters:
    ///   - gradient: The windows', `[pixels, C]`.
    ///   - sums: `[blocks, height, width, 16]`.
    public static func addProducts<Element: StorageElement>(
        _ pixels: Pixels, tile: Tile, _ windows: Windows, gradient: UnsafePointer<Element>,
        to sums: UnsafeMutablePointer<Float>, ahead: Ahead
    ) {
        addProducts(
            pixels, tile: tile, windows, gradient: gradient, to: sums, ahead: ahead, lanes: lanes)
    }

    /// The same with vectors of 16 or 8 `lanes`.
    static func addProducts<Element: StorageElement>(
        _ pixels: Pixels, tile: Tile, _ windows: Windows, gradient: UnsafePointer<Element>,
        to sums: UnsafeMutablePointer<Float>, ahead: Ahead, lanes: Int32
    ) {
        withUnsafePointer(to: pixels.pixels) { pixels in
            withUnsafePointer(to: tile.tile) { tile in
                withUnsafePointer(to: ahead.lines) { lines in
                    withUnsafePointer(to: windows.windows) { windows in
                        saccader_window_products(
                            pixels, tile, windows, gradient, sums, lines, lanes)
                    }
                }
            }
        }
    }
}
