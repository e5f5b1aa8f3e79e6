import CProcessor

/// A number format in which activations and gradients between layers are stored.
///
/// Arithmetic is always done in `Float`: kernels widen in registers when they read and narrow
/// when they write. Weights, statistics, weight gradients, losses and reductions stay in `Float`.
public protocol StorageElement: BitwiseCopyable, Sendable {
    /// The nearest stored value.
    init(narrowing value: Float)
    /// The value in single precision.
    var widened: Float { get }
    /// Reads 16 consecutive elements; no alignment is assumed.
    static func loadBlock(_ source: UnsafePointer<Self>) -> SIMD16<Float>
    /// Writes 16 consecutive elements; no alignment is assumed.
    static func storeBlock(_ block: SIMD16<Float>, to destination: UnsafeMutablePointer<Self>)
    /// Reads 8 consecutive elements, the other lanes 0: what is left of many numbers of channels.
    static func loadHalf(_ source: UnsafePointer<Self>) -> SIMD16<Float>
    /// Writes 8 consecutive elements.
    static func storeHalf(_ half: SIMD8<Float>, to destination: UnsafeMutablePointer<Self>)
}

extension Float: StorageElement {
    /// The value itself.
    @inlinable public init(narrowing value: Float) { self = value }
    /// The value itself.
    @inlinable public var widened: Float { self }
    /// Reads 16 consecutive values.
    @inlinable @inline(__always)
    public static func loadBlock(_ source: UnsafePointer<Float>) -> SIMD16<Float> {
        UnsafeRawPointer(source).loadUnaligned(as: SIMD16<Float>.self)
    }
    /// Writes 16 consecutive values.
    @inlinable @inline(__always)
    public static func storeBlock(
        _ block: SIMD16<Float>, to destination: UnsafeMutablePointer<Float>
    ) {
        UnsafeMutableRawPointer(destination).storeBytes(of: block, as: SIMD16<Float>.self)
    }
    /// Reads 8 consecutive values.
    @inlinable @inline(__always)
    public static func loadHalf(_ source: UnsafePointer<Float>) -> SIMD16<Float> {
        SIMD16(
            lowHalf: UnsafeRawPointer(source).loadUnaligned(as: SIMD8<Float>.self),
            highHalf: SIMD8(repeating: 0))
    }
    /// Writes 8 consecutive values.
    @inlinable @inline(__always)
    public static func storeHalf(
        _ half: SIMD8<Float>, to destination: UnsafeMutablePointer<Float>
    ) {
        UnsafeMutableRawPointer(destination).storeBytes(of: half, as: SIMD8<Float>.self)
    }
}

/// The upper half of a `Float`: 8 bits of exponent, 8 bits of precision.
public struct BFloat16: StorageElement, Equatable {
    /// Sign, exponent and the upper seven bits of the fraction.
    public let bits: UInt16

    /// Rounds to nearest, ties to even; a NaN stays one.
    @inlinable public init(narrowing value: Float) {
        let pattern = value.bitPattern
        let rounded = (pattern &+ 0x7FFF &+ ((pattern >> 16) & 1)) >> 16
        bits = UInt16(truncatingIfNeeded: value == value ? rounded : (pattern >> 16) | 0x40)
    }
    /// The value in single precision, exactly.
    @inlinable public var widened: Float { Float(bitPattern: UInt32(bits) << 16) }
    /// Reads 16 consecutive values and widens them, exactly.
    @inlinable @inline(__always)
    public static func loadBlock(_ source: UnsafePointer<BFloat16>) -> SIMD16<Float> {
        let half = UnsafeRawPointer(source).loadUnaligned(as: SIMD16<UInt16>.self)
        // Lane by lane, which becomes one instruction for eight; a conversion can stay a call.
        @inline(__always)
        func word(_ lane: Int) -> UInt32 { UInt32(half[lane]) }
        let words = SIMD16<UInt32>(
            word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7),
            word(8), word(9), word(10), word(11), word(12), word(13), word(14), word(15))
        return unsafeBitCast(words &<< 16, to: SIMD16<Float>.self)
    }
    /// Rounds 16 values to nearest even and writes them. A NaN as arithmetic makes it stays one;
    /// one with a payload in its lower half need not, which `init(narrowing:)` sees to.
    @inlinable @inline(__always)
    public static func storeBlock(
        _ block: SIMD16<Float>, to destination: UnsafeMutablePointer<BFloat16>
    ) {
        let target = UnsafeMutableRawPointer(destination)
        target.storeBytes(of: narrowed(block.lowHalf), as: SIMD8<UInt16>.self)
        (target + 16).storeBytes(of: narrowed(block.highHalf), as: SIMD8<UInt16>.self)
    }
    /// Reads 8 consecutive values and widens them, exactly.
    @inlinable @inline(__always)
    public static func loadHalf(_ source: UnsafePointer<BFloat16>) -> SIMD16<Float> {
        let half = UnsafeRawPointer(source).loadUnaligned(as: SIMD8<UInt16>.self)
        @inline(__always)
        func word(_ lane: Int) -> UInt32 { UInt32(half[lane]) }
        let words = SIMD8<UInt32>(
            word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7))
        return SIMD16(
            lowHalf: unsafeBitCast(words &<< 16, to: SIMD8<Float>.self),
            highHalf: SIMD8(repeating: 0))
    }
    /// Rounds 8 values to nearest even and writes them.
    @inlinable @inline(__always)
    public static func storeHalf(
        _ half: SIMD8<Float>, to destination: UnsafeMutablePointer<BFloat16>
    ) {
        UnsafeMutableRawPointer(destination).storeBytes(
            of: narrowed(half), as: SIMD8<UInt16>.self)
    }
    /// The upper halves of 8 rounded values, in one instruction where the processor has it (which
    /// takes the smallest numbers, below 1.2e-38, for 0).
    @inlinable @inline(__always)
    static func narrowed(_ block: SIMD8<Float>) -> SIMD8<UInt16> {
        saccader_rounds_to_halves() ? saccader_upper_halves(block) : rounded(block)
    }
    /// The same by arithmetic. All 16 at once would be taken out one by one (measured: a third of
    /// a bfloat16 step of the demonstration's network).
    @inlinable @inline(__always)
    static func rounded(_ block: SIMD8<Float>) -> SIMD8<UInt16> {
        let patterns = unsafeBitCast(block, to: SIMD8<UInt32>.self)
        let odd = (patterns &>> 16) & SIMD8(repeating: 1)
        let words = (patterns &+ SIMD8(repeating: 0x7FFF) &+ odd) &>> 16
        @inline(__always)
        func half(_ lane: Int) -> UInt16 { UInt16(truncatingIfNeeded: words[lane]) }
        return SIMD8(half(0), half(1), half(2), half(3), half(4), half(5), half(6), half(7))
    }
}
