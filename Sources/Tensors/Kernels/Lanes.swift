import CProcessor

/// Arithmetic on 16 channels of one row, and walks over chunks of rows 16 channels at a time.
///
/// Choices between lanes are arithmetic: comparisons of `SIMD16` are lowered lane by lane where
/// the processor has no 512-bit masks (measured: six times as slow).
extension SIMD16<Float> {
    /// Each lane, but at least 0. A NaN stays one, so that it is noticed; so does −∞, and more
    /// than half the largest number becomes ∞.
    @inline(__always)
    var rectified: SIMD16<Float> {
        typealias Bits = SIMD16<UInt32>
        let size = unsafeBitCast(self, to: Bits.self) & Bits(repeating: 0x7FFF_FFFF)
        return (self + unsafeBitCast(size, to: Self.self)) * Self(repeating: 0.5)
    }

    /// Each lane where `other` is positive, else 0.
    @inline(__always)
    func kept(wherePositive other: SIMD16<Float>) -> SIMD16<Float> {
        // As integers, other's bits x are positive where −x and ~x both have the sign bit set.
        typealias Bits = SIMD16<Int32>
        let x = unsafeBitCast(other, to: Bits.self)
        let (negated, flipped) = (Bits(repeating: 0) &- x, x ^ Bits(repeating: -1))
        let keep = (negated & flipped) &>> Bits(repeating: 31)
        return unsafeBitCast(unsafeBitCast(self, to: Bits.self) & keep, to: Self.self)
    }
}

extension StorageElement {
    /// Reads `lanes` elements, the other lanes 0.
    @inline(__always)
    static func load(_ source: UnsafePointer<Self>, lanes: Int) -> SIMD16<Float> {
        lanes == 16 ? loadBlock(source) : loadPart(source, lanes: lanes)
    }

    /// Reads as `load`, from memory that is walked through: lines further on are fetched ahead, as
    /// the processor's own fetching ends with each page. Without a gain in single precision, which
    /// waits for the memory's bandwidth.
    @inline(__always)
    static func stream(_ source: UnsafePointer<Self>, lanes: Int) -> SIMD16<Float> {
        if Self.self != Float.self { saccader_prefetch(source + 1024) }
        return load(source, lanes: lanes)
    }

    /// Writes the first `lanes` lanes.
    @inline(__always)
    static func store(
        _ block: SIMD16<Float>, to destination: UnsafeMutablePointer<Self>, lanes: Int
    ) {
        if lanes == 16 {
            storeBlock(block, to: destination)
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

/// Walks over a dense chunk `[rows, C]` in memory order: down the columns every line of a wide
/// chunk falls into the same few sets of the cache (measured: four times as slow).
enum RowWalk {
    /// Calls `body(position, channel, lanes)` for each group of at most 16 channels of each row.
    @inline(__always)
    static func blocks(
        rows: Int, channels: Int, _ body: (_ position: Int, _ channel: Int, _ lanes: Int) -> Void
    ) {
        var first = 0
        for _ in 0..<rows {
            var channel = 0
            while channel + 16 <= channels {
                body(first + channel, channel, 16)
                channel += 16
            }
            if channel < channels { body(first + channel, channel, channels - channel) }
            first += channels
        }
    }

    /// Sums over the rows: `body(position, rowCount, channel, lanes, part)` adds a few rows from
    /// `position` on to `part`, `[tables, C]` in `Float`, which are added to `sums` at the end.
    @inline(__always)
    static func sums(
        rows: Int, channels: Int, tables: Int, to sums: UnsafeMutablePointer<Double>,
        _ body: (
            _ position: Int, _ rowCount: Int, _ channel: Int, _ lanes: Int,
            _ part: UnsafeMutablePointer<Float>
        ) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: Float.self, capacity: tables * channels) { buffer in
            guard let part = buffer.baseAddress else { return }
            part.initialize(repeating: 0, count: tables * channels)
            var row = 0
            while row < rows {
                let rowCount = min(4, rows - row)
                let first = row * channels
                var channel = 0
                while channel + 16 <= channels {
                    if rowCount == 4 {
                        body(first + channel, 4, channel, 16, part)
                    } else {
                        body(first + channel, rowCount, channel, 16, part)
                    }
                    channel += 16
                }
                if channel < channels {
                    body(first + channel, rowCount, channel, channels - channel, part)
                }
                row += rowCount
            }
            for index in 0..<(tables * channels) { sums[index] += Double(part[index]) }
        }
    }

    /// Adds a block to running sums.
    @inline(__always)
    static func add(_ block: SIMD16<Float>, to part: UnsafeMutablePointer<Float>, lanes: Int) {
        Float.store(Float.load(part, lanes: lanes) + block, to: part, lanes: lanes)
    }
}
