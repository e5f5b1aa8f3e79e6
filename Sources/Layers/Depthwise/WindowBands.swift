/// How an image is divided into bands of rows whose tile of 16 channels fits the nearest cache.
struct WindowBands: Sendable {
    /// Rows that are computed, of outputs or, on the way back, of inputs.
    let rows: Int
    let rowsPerBand: Int
    /// Floats of a row of the tile.
    let rowLength: Int
    /// Floats of the tile.
    let tileCount: Int
    /// Floats of what a band comes to.
    let resultCount: Int

    /// Floats of a tile and of what it comes to: two thirds of a cache of 48 KiB.
    private static let capacity = 9216

    /// Divides `rows` rows of `width` pixels.
    ///
    /// - Parameters:
    ///   - stride: Rows of the tile from one row to the next.
    ///   - sourceStride: Rows for which the tile has one.
    ///   - reach: Rows of the tile more than that.
    ///   - tileWidth: Pixels of a row of the tile.
    init(
        rows: Int, width: Int, stride: Int, sourceStride: Int = 1, reach: Int, tileWidth: Int
    ) {
        self.rows = rows
        rowLength = tileWidth * 16
        let perRow = stride * rowLength / sourceStride + width * 16
        // Few rows read again what the band before has read.
        let most = max(4, (Self.capacity - reach * rowLength) / max(1, perRow))
        let count = (rows + most - 1) / most
        rowsPerBand = max(1, (rows + count - 1) / max(1, count))
        tileCount = (rowsPerBand * stride / sourceStride + 1 + max(0, reach)) * rowLength
        resultCount = rowsPerBand * width * 16
    }

    /// The bands, from the top.
    var all: [Range<Int>] {
        Swift.stride(from: 0, to: rows, by: rowsPerBand).map {
            $0..<min(rows, $0 + rowsPerBand)
        }
    }
}
