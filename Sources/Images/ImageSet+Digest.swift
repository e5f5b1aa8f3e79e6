extension ImageSet {
    /// FNV-1a of 64 bits of the images' names in their order, 16 hexadecimal digits: the same for the
    /// same images wherever they lie, in folders or archives, and another one where one is renamed,
    /// gone or new.
    public var digest: String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func take(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for row in rows {
            for byte in index.fileName(Int(row)).bytes { take(byte) }
            take(0)
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
