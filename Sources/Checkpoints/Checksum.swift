/// The checksum of a dataset: FNV-1a over its 32-bit words, as 16 hexadecimal digits.
enum Checksum {
    /// Of numbers as they lie in memory.
    static func text(_ numbers: UnsafeBufferPointer<Float>) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for number in numbers {
            hash = (hash ^ UInt64(number.bitPattern)) &* 0x100_0000_01B3
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
