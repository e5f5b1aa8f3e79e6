import Foundation

/// Finds the images of a data set, wherever and in whatever form they are: folders and archives in
/// any layout that is known, tables, and the labels beside them.
struct SourceScan {
    var found = FoundImages()
    /// The subsets that are wanted; others are passed over.
    var subsets: Set<Subset>
    /// Whether files in folders are asked for their sizes.
    let findsSizes: Bool
    /// Whether only folders that are divided into train, val and dev are taken.
    var needsDivision = false
    /// Told how far the scan of a file has come, in bytes.
    let progress: (_ path: String, _ done: Int, _ of: Int) -> Void
    /// Called whenever the folder of a class has been listed.
    let onFolder: () -> Void

    init(
        subsets: Set<Subset> = Set(Subset.allCases), findsSizes: Bool = true,
        progress: @escaping (String, Int, Int) -> Void = { _, _, _ in },
        onFolder: @escaping () -> Void = {}
    ) {
        (self.subsets, self.findsSizes, self.progress) = (subsets, findsSizes, progress)
        self.onFolder = onFolder
    }

    /// Takes in a folder or a file.
    mutating func add(_ path: String) throws(ImagesError) {
        let path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw .missing(path: path, remedy: "check the path")
        }
        if isFolder.boolValue { return try addFolder(path) }
        let file = try ByteFile(path)
        if try TarReader.isArchive(file) { return try addArchive(file) }
        let name = (path as NSString).lastPathComponent
        if let table = try ImageTable(file) { return try add(table) }
        if Labels.isLabelFile(name) { return try found.labels.add(path) }
        let head = try file.bytes(at: 0, count: min(file.size, ContentKind.headSize))
        if let command = ContentKind.unpackingCommand(head, path) {
            throw .damaged(
                path: path,
                what: "is \(ContentKind(head).what), so that its images cannot be read in place",
                remedy: "unpack it once: \(command)")
        }
        if ["txt", "csv", "mat"].contains((path as NSString).pathExtension.lowercased()) {
            return try found.labels.add(path)
        }
        throw .damaged(
            path: path,
            what: "is neither a tar archive nor a list of labels: \(ContentKind(head).reason)",
            remedy: "name folders, tar archives, a table (path,label) or the development kit")
    }

    private mutating func addFolder(_ path: String) throws(ImagesError) {
        let before = (found.images.count, found.trainingClasses.count, found.labels.fileCount)
        try add(DiskTree(path), container: nil)
        let after = (found.images.count, found.trainingClasses.count, found.labels.fileCount)
        if before == after && subsets == Set(Subset.allCases) {
            throw .missing(
                path: "\(path)/train",
                remedy: "name a folder with train/CLASS/*.JPEG, with CLASS/*.JPEG, or with "
                    + "ILSVRC2012 archives")
        }
    }

    private mutating func addArchive(_ file: ByteFile) throws(ImagesError) {
        let container = found.addContainer(file.path, size: file.size)
        found.addStamp(file.stamp)
        let before = found.images.count
        try addPacked(TarTree(file) { progress(file.path, $0, file.size) }, container)
        if found.images.count == before && subsets == Set(Subset.allCases) {
            throw .noImages(path: file.path)
        }
    }

    private mutating func addPacked(
        _ tree: TarTree, _ container: Int
    ) throws(ImagesError) {
        found.passedOver.add(.link, tree.brokenLinks.map { "\(tree.path): \($0)" })
        found.passedOver.add(.special, tree.specials.map { "\(tree.path): \($0)" })
        found.passedOver.add(.repeated, tree.repeated.map { "\(tree.path): \($0)" })
        try add(tree, container: container)
    }

    /// Takes in an archive that lies in a folder or in another archive.
    mutating func addArchive(
        _ entry: SourceEntry, at parts: [FileName], of tree: some SourceTree, container: Int?
    ) throws(ImagesError) {
        if let outer = tree as? TarTree, let container {
            try addPacked(TarTree(entry, at: parts, of: outer), container)
        } else if let folder = tree as? DiskTree {
            try addArchive(ByteFile(folder.named(parts)))
        }
    }

    /// Where the images below `base` lie: the archive, or that folder.
    mutating func container(
        _ tree: some SourceTree, _ base: [FileName], given: Int?
    ) throws(ImagesError) -> Int {
        if let given { return given }
        let path = try (tree as? DiskTree)?.named(base) ?? tree.path
        return found.addContainer(path, size: nil)
    }

    /// Takes in an image, if it is wanted; `place` names it in messages.
    mutating func add(_ image: FoundImage, place: @autoclosure () -> String) throws(ImagesError) {
        if image.subset == .train && image.className == nil {
            throw .damaged(
                path: place(), what: "is a training image without a class",
                remedy: "put it into the folder of its class, or remove it")
        }
        if subsets.contains(image.subset) { found.images.append(image) }
    }
}
