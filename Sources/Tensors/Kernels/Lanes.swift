import CProcessor

/// Arithmetic on 16 channels of one row, and walks over chunks of rows 16 channels at a time.
///
/// Choices between lanes are the shim's: comparisons of `SIMD16` are lowered lane by lane where
/// the processor has no 512-bit masks (measured: six times as slow).
extension SIMD16<Float> {
    /// Each lane, but at least 0. A NaN stays one, so that it is noticed.
    @inline(__always)
    var rectified: SIMD16<Float> {
        SIMD16(lowHalf: saccader_rectified(lowHalf), highHalf: saccader_rectified(highHalf))
    }

    /// Each lane where `other` is positive or a NaN, else 0.
    @inline(__always)
    func kept(wherePositive other: SIMD16<Float>) -> SIMD16<Float> {
        SIMD16(
            lowHalf: saccader_kept(lowHalf, other.lowHalf),
            highHalf: saccader_kept(highHalf, other.highHalf))
    }
}

extension StorageElement {
    /// Reads `lanes` elements, the other lanes 0.
    @inline(__always)
    static func load(_ source: UnsafePointer<Self>, lanes: Int) -> SIMD16<Float> {
        lanes == 16
            ? loadBlock(source) : lanes == 8 ? loadHalf(source) : loadPart(source, lanes: lanes)
    }

    /// Whether kernels fetch ahead, as the processor's own fetching ends with each page. Without a
    /// gain in single precision, which waits for the memory's bandwidth.
    @inline(__always)
    private static var fetchesAhead: Bool { Self.self != Float.self }

    /// Numbers of a strip: where kernels do not fetch ahead, memory is best read as it lies.
    @inline(__always)
    static var stripCount: Int { fetchesAhead ? 1024 : 256 }

    /// Reads as `load`, and begins to fetch what lies `ahead`.
    @inline(__always)
    static func stream(
        _ source: UnsafePointer<Self>, _ position: Int, lanes: Int, ahead: Int
    ) -> SIMD16<Float> {
        if fetchesAhead { saccader_prefetch(source + ahead) }
        return load(source + position, lanes: lanes)
    }

    /// Writes as `store`, and begins to fetch what will be written `ahead`.
    @inline(__always)
    static func streamStore(
        _ block: SIMD16<Float>, to destination: UnsafeMutablePointer<Self>, _ position: Int,
        lanes: Int, ahead: Int
    ) {
        if fetchesAhead { saccader_prefetch_to_write(destination + ahead) }
        store(block, to: destination + position, lanes: lanes)
    }

    /// Writes the first `lanes` lanes.
    @inline(__always)
    static func store(
        _ block: SIMD16<Float>, to destination: UnsafeMutablePointer<Self>, lanes: Int
    ) {
        if lanes == 16 {
            storeBlock(block, to: destination)
        } else if lanes == 8 {
            storeHalf(block.lowHalf, to: destination)
        } else {
            storePart(block, to: destination, lanes: lanes)
        }
    }

    // Through memory: a lane with a number known only at run time costs a copy of all 16.
    @inline(never)
    @_specialize(where Self == Float)
    @_specialize(where Self == BFloat16)
    private static func loadPart(_ source: UnsafePointer<Self>, lanes: Int) -> SIMD16<Float> {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 16) { buffer in
            buffer.initialize(repeating: 0)
            for lane in 0..<lanes { buffer[lane] = source[lane].widened }
            return buffer.baseAddress.map { Float.loadBlock($0) } ?? SIMD16(repeating: 0)
        }
    }

    @inline(never)
    @_specialize(where Self == Float)
    @_specialize(where Self == BFloat16)
    private static func storePart(
        _ block: SIMD16<Float>, to destination: UnsafeMutablePointer<Self>, lanes: Int
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 16) { buffer in
            guard let base = buffer.baseAddress else { return }
            Float.storeBlock(block, to: base)
            for lane in 0..<lanes { destination[lane] = Self(narrowing: base[lane]) }
        }
    }
}

/// Walks over a dense chunk `[rows, C]` in memory order, or nearly so: what comes from memory is
/// fetched ahead line after line (measured: half as fast in strips of 16 rows of 64 channels), and
/// down whole columns every line falls into the same few sets of the cache (four times as slow).
enum RowWalk {
    /// Calls `body(position, lanes)` for each group of at most 16 consecutive numbers.
    @inline(__always)
    static func blocks(count: Int, _ body: (_ position: Int, _ lanes: Int) -> Void) {
        var position = 0
        while position + 16 <= count {
            body(position, 16)
            position += 16
        }
        if position < count { body(position, count - position) }
    }

    /// Calls `body(position, rowCount, channel, lanes, ahead)` for strips: at most 16 channels of a
    /// few rows, whose coefficients and sums stay in registers.
    ///
    /// `ahead` and the `16 · rowCount` numbers after it are this call's part of the rows that come
    /// next, in the order of memory.
    @inline(__always)
    static func strips(
        rows: Int, channels: Int, count stripCount: Int,
        _ body: (
            _ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _ ahead: Int
        ) -> Void
    ) {
        let stripRows = max(1, stripCount / max(1, channels))
        var row = 0
        while row < rows {
            let rowCount = min(stripRows, rows - row)
            let first = row * channels
            let next = first + rowCount * channels
            var channel = 0
            while channel + 16 <= channels {
                let ahead = next + channel * rowCount
                if rowCount == 1 {
                    body(first + channel, 1, channel, 16, ahead)
                } else {
                    body(first + channel, rowCount, channel, 16, ahead)
                }
                channel += 16
            }
            if channel < channels {
                body(
                    first + channel, rowCount, channel, channels - channel,
                    next + channel * rowCount)
            }
            row += rowCount
        }
    }

    /// Sums over the rows: `body(position, rowCount, channel, lanes, part)` adds a strip to `part`,
    /// `[tables, C]` in `Float`, which is added to `sums` at the end.
    @inline(__always)
    static func sums(
        rows: Int, channels: Int, count stripCount: Int, tables: Int,
        to sums: UnsafeMutablePointer<Double>,
        _ body: (
            _ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _ ahead: Int,
            _ part: UnsafeMutablePointer<Float>
        ) -> Void
    ) {
        let count = tables * channels
        // Aligned: a sum that lies across two cache lines waits long for its own last value.
        withUnsafeTemporaryAllocation(
            byteCount: count * MemoryLayout<Float>.stride, alignment: 64
        ) { buffer in
            guard let base = buffer.baseAddress else { return }
            let part = base.initializeMemory(as: Float.self, repeating: 0, count: count)
            @inline(__always)
            func strip(
                _ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int, _ ahead: Int
            ) {
                body(position, rowCount, channel, lanes, ahead, part)
            }
            strips(rows: rows, channels: channels, count: stripCount, strip)
            for index in 0..<count { sums[index] += Double(part[index]) }
        }
    }

    /// Adds a block to running sums.
    @inline(__always)
    static func add(_ block: SIMD16<Float>, to part: UnsafeMutablePointer<Float>, lanes: Int) {
        Float.store(Float.load(part, lanes: lanes) + block, to: part, lanes: lanes)
    }
}
