/// Images of an index with the same bytes: the same checksum and size.
struct Doubles: Sendable {
    /// Pairs in different subsets, of which one is trained on or chosen by.
    private(set) var acrossSubsets: [String] = []
    /// Pairs in different classes.
    private(set) var acrossClasses: [String] = []

    private struct Key: Hashable {
        let checksum: UInt32
        let size: UInt64
        let width: UInt32
        let height: UInt32
    }

    init(_ index: ImageIndex) {
        var first: [Key: UInt32] = [:]
        first.reserveCapacity(index.count)
        for row in 0..<index.count {
            let record = index[row]
            // Of an image that could not be read nothing is known.
            guard !record.traits.contains(.skipped), record.checksum != 0 else { continue }
            let key = Key(
                checksum: record.checksum, size: record.size, width: record.width,
                height: record.height)
            guard let other = first[key].map(Int.init) else {
                first[key] = UInt32(row)
                continue
            }
            let pair = "\(index.name(other)) = \(index.name(row))"
            if index[other].subset != record.subset {
                acrossSubsets.append(pair)
            }
            if index[other].classNumber != record.classNumber {
                acrossClasses.append(pair)
            }
        }
    }

    /// What `IndexSummary` tells.
    var oddities: [(what: String, names: [String])] {
        [
            ("the same image in two of train, dev and val", acrossSubsets),
            ("the same image in two classes", acrossClasses),
        ].filter { !$0.1.isEmpty }
    }
}
