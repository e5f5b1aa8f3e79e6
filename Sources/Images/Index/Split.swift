import Tensors

/// The division of the training images into those to train on and those held out for development:
/// of each class the same part, by a hash of the images' names and the seed.
struct Split: Sendable {
    /// How many images of each class are held out.
    enum Amount: Equatable, Sendable {
        /// A part, rounded.
        case fraction(Double)
        /// A number.
        case imagesPerClass(Int)
    }

    let amount: Amount
    let seed: UInt64

    /// The places of the held-out images; those left out do not count.
    ///
    /// - Parameter name: The name of the image at a place.
    func heldOut(_ records: [ImageRecord], name: (Int) -> FileName) -> [Int] {
        var places: [UInt32: [Int]] = [:]
        for (place, record) in records.enumerated()
        where record.subset == .train && !record.traits.contains(.skipped) {
            places[record.classNumber, default: []].append(place)
        }
        var held: [Int] = []
        for members in places.values {
            let count = heldOutCount(of: members.count)
            guard count > 0 else { continue }
            let ranked = members.map { place in
                let name = name(place)
                var random = CounterRandom(
                    seed: seed, purpose: .split, stream: name.stableHash)
                return (random.next(), name, place)
            }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }
            held += ranked.prefix(count).map { $0.2 }
        }
        return held
    }

    /// One image at least is left, unless all are held out.
    private func heldOutCount(of count: Int) -> Int {
        if amount == .fraction(1) { return count }
        let wanted =
            switch amount {
            case .fraction(let fraction): Int((Double(count) * fraction).rounded())
            case .imagesPerClass(let number): number
            }
        return max(0, min(wanted, count - 1))
    }
}

extension ImageIndex {
    /// The same images, a part of each class as validation images.
    func validating(_ fraction: Double, seed: UInt64) -> ImageIndex {
        var (records, header) = ((0..<count).map { self[$0] }, header)
        (header.validationFraction, header.seed) = (fraction, seed)
        let split = Split(amount: .fraction(fraction), seed: seed)
        for place in split.heldOut(records, name: fileName) { records[place].subset = .val }
        return replacing(header: header, records: records)
    }

    /// The same images, those that `split` holds out as development images; where there are some
    /// already, these stay.
    func divided(by split: Split) -> ImageIndex {
        var records = (0..<count).map { self[$0] }
        guard !records.contains(where: { $0.subset == .dev }) else { return self }
        var header = header
        switch split.amount {
        case .fraction(let fraction): header.developmentFraction = fraction
        case .imagesPerClass(let count): header.developmentImagesPerClass = count
        }
        header.seed = split.seed
        for place in split.heldOut(records, name: fileName) { records[place].subset = .dev }
        return replacing(header: header, records: records)
    }
}
