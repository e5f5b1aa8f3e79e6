import Tensors

/// The division of the training images into those to train on and those held out for development:
/// of each class the same part, by a hash of the images' names and the seed.
struct Split: Sendable {
    /// How many images of each class are held out.
    enum Amount: Equatable, Sendable {
        /// A part, rounded.
        case fraction(Double)
        /// A number, or all but one image of a class that has no more.
        case imagesPerClass(Int)
    }

    let amount: Amount
    let seed: UInt64

    /// The places of the held-out images.
    func heldOut(_ records: [ImageRecord], name: (ImageRecord) -> String) -> [Int] {
        var places: [UInt32: [Int]] = [:]
        for (place, record) in records.enumerated() where record.subset == .train {
            places[record.classNumber, default: []].append(place)
        }
        var held: [Int] = []
        for members in places.values {
            let count = heldOutCount(of: members.count)
            guard count > 0 else { continue }
            let ranked = members.map { place in
                let name = name(records[place])
                var random = CounterRandom(
                    seed: seed, purpose: .split, stream: Self.hash(name))
                return (random.next(), name, place)
            }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
            held += ranked.prefix(count).map { $0.2 }
        }
        return held
    }

    private func heldOutCount(of count: Int) -> Int {
        switch amount {
        case .fraction(let fraction): Int((Double(count) * fraction).rounded())
        case .imagesPerClass(let number): max(0, min(number, count - 1))
        }
    }

    /// FNV-1a, which unlike Swift's hash is the same in every process.
    static func hash(_ name: String) -> UInt64 {
        name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
