/// The folders of a data set whose names say what their images are for: `train`, `dev`, `val`, or as
/// others name them.
struct SubsetFolders: Equatable, Sendable {
    /// The subsets by the folder's name.
    private(set) var roles: [FileName: Subset] = [:]

    private static let names: [String: Subset] = [
        "train": .train, "training": .train, "dev": .dev, "development": .dev, "val": .val,
        "valid": .val, "validation": .val,
    ]
    /// What these hold is reported on where nothing is called validation.
    private static let testNames: Set<String> = ["test", "testing"]

    /// What a part of a data set is called, in a folder's name or a table; of test images
    /// `isTested` says whether they are the ones to report on.
    static func subset(_ name: String, isTested: Bool) -> Subset? {
        let name = name.lowercased()
        return names[name] ?? (isTested && testNames.contains(name) ? .val : nil)
    }

    /// Whether a name is that of a part of a data set.
    static func isReserved(_ name: FileName) -> Bool {
        subset(name.text, isTested: true) != nil
    }

    /// Nil where no folder has such a name.
    ///
    /// - Parameter path: Names the data set in messages.
    init?(_ folders: [FileName], path: String) throws(ImagesError) {
        let isTested = !folders.contains { Self.subset($0.text, isTested: false) == .val }
        for name in folders {
            guard let subset = Self.subset(name.text, isTested: isTested) else { continue }
            if let other = roles.first(where: { $0.value == subset })?.key {
                throw .damaged(
                    path: path,
                    what: "has two folders for \(subset.rawValue): \(other.text) and \(name.text)",
                    remedy: "rename the one that is not meant")
            }
            roles[name] = subset
        }
        if roles.isEmpty { return nil }
    }

    /// The folder of a subset.
    subscript(subset: Subset) -> FileName? { roles.first { $0.value == subset }?.key }

    /// What the names are taken for; nil where they say it themselves.
    var remark: String? {
        let others = roles.filter { $0.key.text != $0.value.rawValue }
            .sorted { $0.key < $1.key }
        guard !others.isEmpty else { return nil }
        return others.map { "\($0.key.text) is taken for \($0.value.rawValue)" }
            .joined(separator: ", ")
    }
}
