/// FNV-1a of 64 bits, over bytes: tells apart by a number what should be equal and is not.
public struct Digest: Sendable {
    /// The digest so far.
    public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    /// Of nothing yet.
    public init() {}

    /// Of a text.
    public init(_ text: String) { add(text) }

    /// Takes in bytes.
    public mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }

    /// Takes in a text and its end.
    public mutating func add(_ text: String) {
        add(text.utf8)
        add(CollectionOfOne(0))
    }

    /// Takes in a number.
    public mutating func add(_ number: Int) {
        withUnsafeBytes(of: number.littleEndian) { add($0) }
    }
}

extension ImageDataset {
    /// Changes with the classes, and with the images of each subset.
    public var digest: UInt64 {
        var digest = Digest()
        for name in classes { digest.add(name) }
        for subset in Subset.allCases {
            digest.add(self[subset].rows.count)
            digest.add(self[subset].digest)
        }
        return digest.value
    }
}
