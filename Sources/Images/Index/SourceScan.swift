import Foundation

/// Finds the images of a data set, wherever and in whatever form they are: folders in ImageNet's
/// layout, the official archives, archives of single classes, and the labels beside them.
struct SourceScan {
    var found = FoundImages()
    /// The subsets that are wanted; others are passed over.
    let subsets: Set<Subset>
    /// Whether files in folders are asked for their sizes.
    private let findsSizes: Bool
    /// Told how far the scan of a file has come, in bytes.
    let progress: (_ path: String, _ done: Int, _ of: Int) -> Void
    /// Called whenever the folder of a class has been listed.
    private let onFolder: () -> Void

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
        let name = (path as NSString).lastPathComponent
        if Labels.isLabelFile(name) { return try found.labels.add(path) }
        let file = try ByteFile(path)
        if try TarReader.isArchive(file) { return try addArchive(file) }
        let head = try file.bytes(at: 0, count: min(file.size, ContentKind.headSize))
        if Gzip.isPacked(head) {
            throw .damaged(
                path: path, what: "is compressed, so that its images cannot be read in place",
                remedy: "unpack it once: gunzip \(path)")
        }
        if ["txt", "csv", "mat"].contains((path as NSString).pathExtension.lowercased()) {
            return try found.labels.add(path)
        }
        throw .damaged(
            path: path,
            what: "is neither a tar archive nor a list of labels: \(ContentKind(head).reason)",
            remedy: "name folders, ILSVRC2012 archives and the development kit")
    }

    // MARK: Folders

    private mutating func addFolder(_ path: String) throws(ImagesError) {
        let root = FileName(path)
        let entries = try FolderListing.list(root)
        for entry in entries where !entry.isFolder || TreeRole.holdsLabels(entry.name) {
            try addLabels(root.appending(entry.name), isFolder: entry.isFolder)
        }
        let subsets = entries.filter { $0.isFolder && TreeRole.subset($0.name) != nil }
        let archives = entries.filter { !$0.isFolder && $0.name.ending == "tar" }
        if !subsets.isEmpty {
            let container = found.addContainer(path, size: nil)
            for entry in subsets where isWalked(entry.name) {
                try walk(root, [entry.name], within: [], container)
            }
            for archive in archives { found.passedOver.add(.archive, archive.name.text) }
        } else {
            for archive in archives {
                try addArchive(ByteFile(Self.named(root.appending(archive.name))))
            }
        }
        let isNothing =
            subsets.isEmpty && archives.isEmpty && found.labels.classSource == nil
            && found.labels.truthSource == nil
        if isNothing {
            throw .missing(
                path: "\(path)/train",
                remedy: "name a folder with train/CLASS/*.JPEG, or one with ILSVRC2012 archives")
        }
        for entry in entries where !entry.name.isHidden {
            if case .outside(let name) = TreeRole([entry.name]),
                TreeRole.subset(name) == nil, !TreeRole.holdsLabels(name),
                entry.isFolder || FoundImage.isImage(name)
            {
                found.passedOver.add(.outside, name.text)
            }
        }
    }

    /// A file of labels, or an unpacked development kit.
    private mutating func addLabels(_ path: FileName, isFolder: Bool) throws(ImagesError) {
        let name = FileName.parts(of: path.bytes).last ?? path
        guard isFolder else {
            if !name.isHidden && Labels.isLabelFile(name.text) {
                try found.labels.add(path.text)
            }
            return
        }
        for entry in try FolderListing.list(path) where !entry.isFolder || entry.name.text == "data"
        {
            try addLabels(path.appending(entry.name), isFolder: entry.isFolder)
        }
    }

    /// The names of training classes are needed whatever else is asked for.
    private func isWalked(_ name: FileName) -> Bool {
        TreeRole.subset(name).map { $0 == .train || subsets.contains($0) } ?? false
    }

    /// Everything below a subset's folder; `outer`: the folders around it, which a link could lead
    /// back into.
    private mutating func walk(
        _ root: FileName, _ parts: [FileName], within outer: [[UInt64]], _ container: Int
    ) throws(ImagesError) {
        let folder = root.appending(FileName(joining: parts))
        let outer = outer + [try FolderListing.identity(folder)]
        let isWanted = TreeRole.subset(parts[0]).map(subsets.contains) ?? false
        for entry in try FolderListing.list(folder) {
            let path = parts + [entry.name]
            guard !entry.name.isHidden else {
                found.passedOver.add(.hidden, FileName(joining: path).text)
                continue
            }
            guard entry.isFolder else {
                try take(path, in: root, container)
                continue
            }
            if path.count == 2 && TreeRole.subset(parts[0]) == .train {
                found.trainingClasses.insert(entry.name)
            }
            guard isWanted else { continue }
            if outer.contains(try FolderListing.identity(folder.appending(entry.name))) {
                found.passedOver.add(.link, FileName(joining: path).text)
                continue
            }
            try walk(root, path, within: outer, container)
            if path.count == 2 { onFolder() }
        }
    }

    private mutating func take(
        _ parts: [FileName], in root: FileName, _ container: Int
    ) throws(ImagesError) {
        let path = root.appending(FileName(joining: parts))
        switch TreeRole(parts) {
        case .classArchive:
            if subsets.contains(.train) {
                try addArchive(ByteFile(Self.named(path)))
            } else {
                found.trainingClasses.insert(parts[1].stem)
            }
        case .image(let subset, let className, let name):
            guard try isPicture(path, name) else {
                found.passedOver.add(.noPicture, FileName(joining: parts).text)
                return
            }
            try add(
                FoundImage(
                    subset: subset, className: className, name: name, container: container,
                    offset: 0, size: findsSizes ? size(path) : 0, isFlat: className == nil),
                path: path.text)
        case .hidden, .labels, .outside: break
        }
    }

    /// The path of an archive, which an index holds as text.
    private static func named(_ path: FileName) throws(ImagesError) -> String {
        guard FileName(path.text) == path else {
            throw .damaged(
                path: path.text, what: "has a name that is not text in UTF-8", remedy: "rename it")
        }
        return path.text
    }

    /// Whether a file's name or content is that of a picture. What cannot be read is taken for
    /// one, so that reading it tells why.
    private func isPicture(_ path: FileName, _ name: FileName) throws(ImagesError) -> Bool {
        if FoundImage.isImage(name) { return true }
        do throws(ImagesError) {
            let file = try ByteFile(path)
            return ContentKind(
                try file.bytes(at: 0, count: min(file.size, ContentKind.headSize))
            ).isPicture
        } catch .inputOutput(let path, let reason) {
            throw .inputOutput(path: path, reason: reason)
        } catch {
            return true
        }
    }

    /// In bytes; 0 where there is nothing to read, which whoever reads it is told.
    private mutating func size(_ path: FileName) throws(ImagesError) -> Int {
        var status = stat()
        errno = 0
        guard path.withCString({ stat($0, &status) }) == 0 else {
            if case .inputOutput(let path, let reason) = ByteFile.failure(path, errno) {
                throw .inputOutput(path: path, reason: reason)
            }
            return 0
        }
        found.addStamp(ByteFile.stamp(status))
        return Int(status.st_size)
    }

    /// Takes in an image, if it is wanted; `path` names it in messages.
    mutating func add(_ image: FoundImage, path: String) throws(ImagesError) {
        if image.subset == .train && image.className == nil {
            throw .damaged(
                path: path, what: "is a training image without a class",
                remedy: "put it into the folder of its class, or remove it")
        }
        if subsets.contains(image.subset) { found.images.append(image) }
    }
}
