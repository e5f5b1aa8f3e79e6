/// What the development kit, or text files in its place, say about classes and validation images.
struct Labels: Sendable {
    /// The class of a validation image, as the ground truth writes it.
    enum Label: Equatable, Sendable {
        /// ILSVRC2012_ID: a place in `classes`, counted from 1.
        case identifier(Int)
        /// The class's name.
        case name(String)
        /// The place among the sorted names, counted from 0.
        case sortedNumber(Int)

        var isName: Bool { if case .name = self { true } else { false } }
    }

    /// The classes in the order of their ILSVRC2012_ID; a text list's order.
    var classes: [String] = []
    /// Where `classes` came from; nil: from nowhere yet.
    var classSource: String?
    /// Where another order of the classes came from.
    var rivalClassSource: String?
    /// Whether `classes` is in the development kit's own order.
    var isKitOrder = false
    /// What each class shows.
    var words: [String: String] = [:]
    /// Training images of each class, as the development kit counts them.
    var trainingCounts: [String: Int] = [:]
    /// Labels of the validation images 1, 2, ….
    var groundTruth: [Label] = []
    /// Labels of validation images by file name.
    var named: [String: Label] = [:]
    /// Where the ground truth came from.
    var truthSource: String?
    /// Files that were taken in.
    var fileCount = 0
    /// Where `groundTruth` came from, and `named`.
    var listSource: String?, namedSource: String?

    /// ImageNet has this many classes, and its kit's order is not the sorted one.
    private static let imageNetClassCount = 1000

    /// The classes of validation images that lie in no folder of their class.
    ///
    /// - Parameters:
    ///   - fileNames: For example `ILSVRC2012_val_00000001.JPEG`.
    ///   - source: Where they are, for messages.
    ///   - sorted: All classes, for labels that are places among their sorted names.
    func validationClasses(
        of fileNames: [String], in source: String, classes all: Set<String>
    ) throws(ImagesError) -> [String] {
        guard let truthSource else {
            throw .missing(
                path: "the labels of \(source)",
                remedy: "name ILSVRC2012_devkit_t12.tar.gz, or its "
                    + "ILSVRC2012_validation_ground_truth.txt with a synset list, or Kaggle's "
                    + "LOC_val_solution.csv, as well")
        }
        if named.isEmpty && fileNames.count != groundTruth.count {
            throw .damaged(
                path: source,
                what: "has \(fileNames.count) validation images, but \(truthSource) labels "
                    + "\(groundTruth.count)", remedy: "complete the images")
        }
        let sorted = all.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        var result: [String] = []
        result.reserveCapacity(fileNames.count)
        for name in fileNames {
            result.append(try className(of: name, in: truthSource, sorted: sorted))
        }
        return result
    }

    private func className(
        of fileName: String, in truthSource: String, sorted: [String]
    ) throws(ImagesError) -> String {
        let named = named[Self.stem(fileName)]
        var numbered: Label?
        if let number = Self.number(fileName), groundTruth.indices.contains(number - 1) {
            numbered = groundTruth[number - 1]
        }
        guard let label = named ?? numbered else {
            throw .damaged(
                path: truthSource, what: "has no label for \(fileName)",
                remedy: "give the ground truth of these images")
        }
        let name = try className(label, of: fileName, in: truthSource, sorted: sorted)
        if named != nil, let numbered, numbered.isName || countsClasses(sorted),
            let namedSource, let listSource,
            try className(numbered, of: fileName, in: listSource, sorted: sorted) != name
        {
            throw contradiction(namedSource, listSource, "labels \(fileName) otherwise")
        }
        return name
    }

    private func className(
        _ label: Label, of fileName: String, in truthSource: String, sorted: [String]
    ) throws(ImagesError) -> String {
        switch label {
        case .name(let name):
            return name
        case .sortedNumber(let number):
            guard sorted.indices.contains(number) else {
                throw .damaged(
                    path: truthSource,
                    what: "gives \(fileName) the class \(number) of \(sorted.count)",
                    remedy: "give the ground truth of these classes")
            }
            return sorted[number]
        case .identifier(let identifier):
            guard let classSource else {
                throw .missing(
                    path: "the classes that \(truthSource) counts",
                    remedy: "name ILSVRC2012_devkit_t12.tar.gz, or a list of synsets in its order, "
                        + "as well")
            }
            // With a sorted list every label would be wrong, and nothing else would tell.
            if isSortedList(sorted) {
                throw .damaged(
                    path: classSource,
                    what: "lists the synsets in sorted order, but \(truthSource) counts in the "
                        + "development kit's", remedy: "name ILSVRC2012_devkit_t12.tar.gz instead")
            }
            if !isKitOrder, let rivalClassSource {
                throw contradiction(classSource, rivalClassSource, "lists the classes otherwise")
            }
            guard classes.indices.contains(identifier - 1) else {
                throw .damaged(
                    path: truthSource,
                    what: "gives \(fileName) the class \(identifier), but \(classSource) has "
                        + "\(classes.count)", remedy: "give both from the same development kit")
            }
            return classes[identifier - 1]
        }
    }

    /// ImageNet's classes in another order than its ground truth counts them in.
    private func isSortedList(_ sorted: [String]) -> Bool {
        !isKitOrder && classes.count == Self.imageNetClassCount && classes == sorted
    }

    /// Whether a list of classes explains the numbers of a ground truth.
    private func countsClasses(_ sorted: [String]) -> Bool {
        isKitOrder || classSource != nil && rivalClassSource == nil && !isSortedList(sorted)
    }

    /// A file's name without its ending.
    static func stem(_ name: String) -> String {
        name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
    }

    /// The number at the end of `ILSVRC2012_val_00000001.JPEG`.
    private static func number(_ fileName: String) -> Int? {
        stem(fileName).split(separator: "_").last.flatMap { Int($0) }
    }
}
