import Tensors

/// How the outputs of a 3×3 convolution of stride 1 are divided into tiles of 2×2, and the tiles
/// into chunks that a thread works on at a time.
///
/// With a dilation of d, the outputs of one tile lie d apart, like the pixels that they read; d
/// interleaved rows and columns of tiles then make up a band of 2·d rows of outputs.
struct WinogradTiles: Sendable {
    let geometry: PatchGeometry
    let input: Shape
    let output: Shape
    /// The first output column of each tile of a row of tiles.
    private let columns: [Int]
    /// Rows of outputs in a band, and in a chunk, which is made of bands.
    private let bandHeight: Int
    let chunkHeight: Int
    /// Tiles of a chunk, at most.
    let capacity: Int

    /// Divides an image.
    ///
    /// - Parameter chunkTiles: What a chunk should have at most, unless a band has more.
    init(_ geometry: PatchGeometry, input: Shape, output: Shape, chunkTiles: Int) {
        let (geometry, height, width) = (geometry, output.height, output.width)
        (self.geometry, self.input, self.output) = (geometry, input, output)
        let dilation = geometry.dilation
        bandHeight = Winograd.tile * dilation
        columns = (0..<min(dilation, width)).flatMap {
            Array(stride(from: $0, to: width, by: Winograd.tile * dilation))
        }
        let bands = (height + bandHeight - 1) / bandHeight
        let bandTiles = min(dilation, height) * columns.count
        let chunks = max(1, min(bands, (bands * bandTiles + chunkTiles - 1) / max(1, chunkTiles)))
        let chunkBands = (bands + chunks - 1) / chunks
        chunkHeight = chunkBands * bandHeight
        capacity = chunkBands * bandTiles
    }

    /// Input rows that a chunk reads or adds to, at most.
    var slabHeight: Int {
        chunkHeight + geometry.reach + 2 * abs(geometry.offset) + geometry.stride
    }

    /// Runs `body(image, rows of outputs, flat rows)` for the chunks of `images` in order.
    func forEachChunk(of images: Range<Int>, _ body: (Int, Range<Int>, Range<Int>) -> Void) {
        for image in images {
            var row = 0
            while row < output.height {
                let end = min(output.height, row + chunkHeight)
                let first = image * output.locations
                body(
                    image, row..<end,
                    (first + row * output.width)..<(first + end * output.width))
                row = end
            }
        }
    }

    /// Runs `body(tile, first row, first column)` for the tiles of a chunk in order.
    func forEachTile(of outputRows: Range<Int>, _ body: (Int, Int, Int) -> Void) {
        var tile = 0
        var band = outputRows.lowerBound
        while band < outputRows.upperBound {
            for row in band..<min(band + geometry.dilation, outputRows.upperBound) {
                for column in columns {
                    body(tile, row, column)
                    tile += 1
                }
            }
            band += bandHeight
        }
    }

    func count(of outputRows: Range<Int>) -> Int {
        var rows = 0
        var band = outputRows.lowerBound
        while band < outputRows.upperBound {
            rows += min(geometry.dilation, outputRows.upperBound - band)
            band += bandHeight
        }
        return rows * columns.count
    }

    /// Names where the values of a square of `side`² locations lie that are `dilation` apart.
    ///
    /// - Parameters:
    ///   - values: `[rows, width, channels]`, the first of the rows being `rows.lowerBound`.
    ///   - outside: Stands for the locations that are not in `rows` and `0..<width`.
    @inline(__always)
    func locate<Element>(
        _ side: Int, row: Int, column: Int, in values: UnsafeMutablePointer<Element>,
        rows: Range<Int>, width: Int, channels: Int, outside: UnsafeMutablePointer<Element>,
        into table: UnsafeMutablePointer<UnsafeMutablePointer<Element>>
    ) {
        for i in 0..<side {
            let y = row + geometry.dilation * i
            let isInside = y >= rows.lowerBound && y < rows.upperBound
            let line = values + (y - rows.lowerBound) * width * channels
            for j in 0..<side {
                let x = column + geometry.dilation * j
                table[side * i + j] =
                    isInside && x >= 0 && x < width ? line + x * channels : outside
            }
        }
    }
}
