import Foundation

/// What an index holds, for people.
public struct IndexSummary: Sendable {
    /// An image that cannot be decoded.
    public struct Problem: Equatable, Sendable {
        /// The subset's name in ImageNet's layout.
        public let name: String
        public let reason: String
    }

    /// Images that cannot be decoded.
    public let problems: [Problem]
    /// Images of each subset, without those left out.
    public let counts: [Subset: Int]
    /// How many classes there are.
    public let classCount: Int
    /// Names of images with something unusual, by what it is.
    public let oddities: [(what: String, names: [String])]
    /// What was passed over and what seems to be missing, a line each.
    public let warnings: [String]
    /// What the sources were taken for, and how they were divided, a line each.
    public let layouts: [String]
    /// Where the names stand that `oddities` has more of than are shown; nil: nowhere.
    public internal(set) var oddityFile: String?

    /// Names of each kind that are shown; the others stand in a file beside the index.
    public static let shownCount = 10

    init(_ index: ImageIndex, problems: [Problem], found: FoundImages) {
        self.problems = problems
        classCount = index.header.classes.count
        let counts = ImageCounts(index)
        self.counts = counts.subsets
        var odd: [[String]] = Self.kinds.map { _ in [] }
        for row in 0..<index.count where !index[row].traits.contains(.skipped) {
            for (place, kind) in Self.kinds.enumerated()
            where index[row].traits.contains(kind.trait) {
                odd[place].append(index.name(row))
            }
        }
        oddities =
            zip(Self.kinds, odd).filter { !$1.isEmpty }.map { ($0.what, $1) }
            + Doubles(index).oddities
        warnings =
            found.passedOver.lines + counts.warnings
            + counts.warnings(trainingCounts: found.labels.trainingCounts)
            + [counts.fewDevelopment(in: index.header), Self.lonelyClass(index)].compactMap { $0 }
        layouts = found.layouts
        passedOver = found.passedOver.kinds
    }

    /// What was passed over, by why.
    private let passedOver: [(what: String, names: [String])]

    /// All kinds of what was odd or passed over.
    var kinds: [(what: String, names: [String])] { oddities + passedOver }

    private static func lonelyClass(_ index: ImageIndex) -> String? {
        guard index.header.classes.count == 1 else { return nil }
        return "there is one class alone, \(index.header.classes[0].name): nothing can be "
            + "learned; name the other classes' folders or archives as well, or what holds them"
    }

    private static let kinds: [(trait: ImageTraits, what: String)] = [
        (.ink, "CMYK or YCCK"), (.misnamed, "another format than the name says"),
        (.deep, "16 bits a channel, scaled to 8"),
        (.rotated, "EXIF orientation, treated as data.orientation says"),
        (.packed, "compressed with gzip, decoded all the same"),
        (.irregular, "an irregular head, read as other programs do"),
        (.alpha, "with an alpha channel, treated as data.transparency says"),
        (.progressive, "progressive"), (.grey, "grey"),
    ]
}
