/// What a path means in a tree that has folders train, val or dev: one judgement for a folder and
/// for an archive.
enum TreeRole: Equatable, Sendable {
    /// It or a folder around it is hidden.
    case hidden
    /// It lies beside the subsets: in the folder of this name, or as this file.
    case outside(FileName)
    /// A file of labels or of the development kit.
    case labels
    /// An archive of one class's images, or of whole classes.
    case classArchive
    /// An image, if it is one; without a class directly in its subset's folder. Whatever lies
    /// deeper belongs to the class.
    case image(Subset, className: FileName?, name: FileName)

    /// - Parameter parts: The path below the tree's root; not empty.
    init(_ parts: [FileName]) {
        if parts.contains(where: \.isHidden) {
            self = .hidden
        } else if let subset = Self.subset(parts[0]), parts.count > 1 {
            if parts.count > 2 {
                self = .image(
                    subset, className: parts[1], name: FileName(joining: parts.dropFirst(2)))
            } else if subset == .train && parts[1].ending == "tar" {
                self = .classArchive
            } else {
                self = .image(subset, className: nil, name: parts[1])
            }
        } else if parts.dropLast().allSatisfy(Self.holdsLabels),
            Labels.isLabelFile(parts[parts.count - 1].text)
        {
            self = .labels
        } else {
            self = .outside(parts[0])
        }
    }

    /// The subset whose folder has this name.
    static func subset(_ name: FileName) -> Subset? { Subset(rawValue: name.text) }

    /// Whether a folder of this name is a development kit or its folder `data`.
    static func holdsLabels(_ name: FileName) -> Bool {
        name.text == "data" || name.text.contains("devkit")
    }
}
