/// How many images each subset and each class of an index has, without those left out.
struct ImageCounts: Sendable {
    private let classes: [String]
    private(set) var subsets: [Subset: Int] = [:]
    /// The counts by subset and class.
    private var ofClass: [Subset: [Int]] = [:]
    /// Training and development images of each class, also those left out.
    private var listed: [Int]

    init(_ index: ImageIndex) {
        classes = index.header.classes.map(\.name)
        let none = [Int](repeating: 0, count: classes.count)
        listed = none
        for row in 0..<index.count {
            let record = index[row]
            if record.subset != .val { listed[Int(record.classNumber)] += 1 }
            guard !record.traits.contains(.skipped) else { continue }
            subsets[record.subset, default: 0] += 1
            ofClass[record.subset, default: none][Int(record.classNumber)] += 1
        }
    }

    /// Names of the classes of which a subset that has images at all has none.
    func missingClasses(_ subset: Subset) -> [String] {
        zip(classes, ofClass[subset] ?? []).filter { $1 == 0 }.map(\.0)
    }

    /// A line for each subset with such classes.
    var warnings: [String] { Subset.allCases.compactMap { warning($0) } }

    /// The line of one subset.
    func warning(_ subset: Subset) -> String? {
        let missing = missingClasses(subset)
        guard !missing.isEmpty else { return nil }
        let what = subset == .train ? "cannot be learned" : "are not in its accuracy"
        return "\(subset.rawValue) has no image of some classes, which \(what): "
            + PassedOver.list(missing)
    }

    /// Fewer development images of a class tell little about which checkpoint is best.
    private static let enoughForDevelopment = 10

    /// Classes with few development images, where a division has made these.
    func fewDevelopment(in header: ImageIndex.Header) -> String? {
        // Who wants none is not told.
        guard (header.developmentFraction ?? 0) > 0 || (header.developmentImagesPerClass ?? 0) > 0,
            subsets[.train] != nil
        else { return nil }
        let counts = ofClass[.dev] ?? [Int](repeating: 0, count: classes.count)
        let few = zip(classes, counts).filter { $1 < Self.enoughForDevelopment }
        guard !few.isEmpty else { return nil }
        return "dev has fewer than \(Self.enoughForDevelopment) images of some classes, too few to "
            + "choose the best checkpoint by: "
            + PassedOver.list(few.map { "\($0): \($1)" })
            + "; hold more out (dataset index --development-images-per-class "
            + "\(Self.enoughForDevelopment)) or add images"
    }

    /// Classes that do not have as many images as the development kit counts.
    func warnings(trainingCounts: [String: Int]) -> [String] {
        zip(classes, listed).compactMap { name, count in
            guard let expected = trainingCounts[name], expected != count, expected > 0
            else { return nil }
            return "class \(name) has \(count) training images, but the development kit "
                + "counts \(expected)"
        }
    }
}
