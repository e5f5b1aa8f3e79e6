/// FNV-1a of 64 bits, which unlike Swift's hash is the same in every process: tells apart by a
/// number what should be equal and is not.
public struct Checksum: Sendable {
    /// The checksum so far.
    public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    /// The checksum of nothing yet.
    public init() {}

    /// The checksum of a text and its end.
    public init(_ text: String) { add(text) }

    private mutating func mix(_ word: UInt32) {
        value = (value ^ UInt64(word)) &* 0x100_0000_01B3
    }

    /// Takes in bytes.
    public mutating func add(_ bytes: [UInt8]) { for byte in bytes { mix(UInt32(byte)) } }

    /// Takes in a text and its end.
    public mutating func add(_ text: String) {
        for byte in text.utf8 { mix(UInt32(byte)) }
        mix(0)
    }

    /// Takes in a number.
    public mutating func add(_ number: Int) {
        withUnsafeBytes(of: number.littleEndian) { for byte in $0 { mix(UInt32(byte)) } }
    }

    /// Takes in 32-bit words in the place of bytes, a last incomplete one filled up with zeros.
    public mutating func addWords(_ bytes: UnsafeRawBufferPointer) {
        let wholeCount = bytes.count / 4 * 4
        for offset in stride(from: 0, to: wholeCount, by: 4) {
            mix(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        guard wholeCount < bytes.count else { return }
        mix(bytes[wholeCount...].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
    }

    /// The checksum as 16 hexadecimal digits.
    public var text: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The checksum of numbers' words as they lie in memory.
    public static func text(_ numbers: UnsafeBufferPointer<Float>) -> String {
        var checksum = Checksum()
        checksum.addWords(UnsafeRawBufferPointer(numbers))
        return checksum.text
    }
}
