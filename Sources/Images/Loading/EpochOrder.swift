import Tensors

/// The order of an epoch's images: a permutation of `0..<count` that is a pure function of its key
/// and needs no memory.
///
/// A Feistel network permutes the smallest square power of two that holds `count`; places outside
/// are walked on until they fall inside.
public struct EpochOrder: Sendable {
    private let count: Int
    private let halfBits: Int
    private let keys: [UInt64]

    /// The order of `count` images in the epoch that `stream` names.
    public init(count: Int, seed: UInt64, stream: UInt64) {
        self.count = count
        var bits = 1
        while (1 << (2 * bits)) < count { bits += 1 }
        halfBits = bits
        var random = CounterRandom(seed: seed, purpose: .order, stream: stream)
        keys = (0..<6).map { _ in random.next() }
    }

    /// The image at a place of the epoch.
    public subscript(position: Int) -> Int {
        precondition(position >= 0 && position < count, "place \(position) of \(count)")
        var place = position
        repeat { place = permuted(place) } while place >= count
        return place
    }

    private func permuted(_ place: Int) -> Int {
        let mask = (1 << halfBits) - 1
        var (left, right) = (place >> halfBits, place & mask)
        for key in keys {
            var mixed = UInt64(right) ^ key
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            mixed ^= mixed >> 31
            (left, right) = (right, left ^ (Int(truncatingIfNeeded: mixed) & mask))
        }
        return left << halfBits | right
    }
}
