import Foundation

/// What an index holds, for people.
public struct IndexSummary: Sendable {
    /// An image that cannot be decoded.
    public struct Problem: Equatable, Sendable {
        /// In ImageNet's layout.
        public let name: String
        public let reason: String
    }

    /// Images that cannot be decoded.
    public let problems: [Problem]
    /// Images of each subset, without those left out.
    public let counts: [Subset: Int]
    /// Classes.
    public let classCount: Int
    /// Names of images with something unusual, by what it is.
    public let oddities: [(what: String, names: [String])]
    /// What seems to be missing.
    public let warnings: [String]

    init(_ index: ImageIndex, problems: [Problem], trainingCounts: [String: Int]) {
        self.problems = problems
        classCount = index.header.classes.count
        var counts: [Subset: Int] = [:]
        var classCounts = [Int](repeating: 0, count: classCount)
        var odd: [[String]] = Self.kinds.map { _ in [] }
        for row in 0..<index.count {
            let record = index[row]
            if record.subset != .val { classCounts[Int(record.classNumber)] += 1 }
            guard !record.traits.contains(.skipped) else { continue }
            counts[record.subset, default: 0] += 1
            for (place, kind) in Self.kinds.enumerated() where record.traits.contains(kind.trait) {
                odd[place].append(index.name(row))
            }
        }
        self.counts = counts
        oddities = zip(Self.kinds, odd).filter { !$1.isEmpty }.map { ($0.what, $1) }
        warnings = zip(index.header.classes, classCounts).compactMap { entry, count in
            guard let expected = trainingCounts[entry.name], expected != count, expected > 0
            else { return nil }
            return "class \(entry.name) has \(count) training images, but the development kit "
                + "counts \(expected)"
        }
    }

    private static let kinds: [(trait: ImageTraits, what: String)] = [
        (.ink, "CMYK or YCCK"), (.misnamed, "another format than the name says"),
        (.deep, "16 bits a channel"), (.rotated, "EXIF orientation, ignored"),
        (.progressive, "progressive"), (.grey, "grey"),
    ]
}
