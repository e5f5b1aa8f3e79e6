/// FNV-1a over 32-bit words, as 16 hexadecimal digits.
public struct Checksum {
    private var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    private mutating func add(_ word: UInt32) { hash = (hash ^ UInt64(word)) &* 0x100_0000_01B3 }

    /// Takes in bytes, a last incomplete word filled up with zeros.
    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        let wholeCount = bytes.count / 4 * 4
        for offset in stride(from: 0, to: wholeCount, by: 4) {
            add(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        guard wholeCount < bytes.count else { return }
        add(bytes[wholeCount...].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
    }

    /// The checksum so far.
    var text: String {
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The checksum of numbers as they lie in memory.
    public static func text(_ numbers: UnsafeBufferPointer<Float>) -> String {
        var checksum = Checksum()
        checksum.add(UnsafeRawBufferPointer(numbers))
        return checksum.text
    }
}
