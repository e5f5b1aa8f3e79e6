import Foundation

/// Finds the images of a data set, wherever and in whatever form they are: folders in ImageNet's
/// layout, the official archives, archives of single classes, and the labels beside them.
struct SourceScan {
    private(set) var found = FoundImages()
    /// The subsets that are wanted; others are passed over.
    private let subsets: Set<Subset>
    /// Whether files in folders are asked for their sizes.
    private let findsSizes: Bool
    /// Told how far the scan of a file has come, in bytes.
    private let progress: (_ path: String, _ done: Int, _ of: Int) -> Void
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
        if try GzipFile.isGzip(file) {
            throw .damaged(
                path: path, what: "is compressed, so that its images cannot be read in place",
                remedy: "unpack it once: gunzip \(path)")
        }
        if ["txt", "csv", "mat"].contains((path as NSString).pathExtension.lowercased()) {
            return try found.labels.add(path)
        }
        throw .damaged(
            path: path, what: "is neither a tar archive nor a list of labels",
            remedy: "name folders, ILSVRC2012 archives and the development kit")
    }

    // MARK: Folders

    private mutating func addFolder(_ path: String) throws(ImagesError) {
        let names = try Self.list(path)
        let layout = Subset.allCases.filter { names.contains($0.rawValue) }
        let labels = names.filter {
            Labels.isLabelFile($0) || $0.contains("devkit") || $0 == "data"
        }
        for name in labels { try addLabels("\(path)/\(name)") }
        if !layout.isEmpty {
            let container = found.addContainer(path, size: nil)
            for subset in layout {
                try addSubset(subset, path: "\(path)/\(subset.rawValue)", container: container)
            }
            return
        }
        let archives = names.filter { $0.lowercased().hasSuffix(".tar") }
        for name in archives { try add("\(path)/\(name)") }
        if archives.isEmpty && found.labels.classSource == nil && found.labels.truthSource == nil {
            throw .missing(
                path: "\(path)/train",
                remedy: "name a folder with train/CLASS/*.JPEG, or one with ILSVRC2012 archives")
        }
    }

    /// A file of labels, or an unpacked development kit.
    private mutating func addLabels(_ path: String) throws(ImagesError) {
        guard Self.isFolder(path) else {
            if Labels.isLabelFile((path as NSString).lastPathComponent) {
                try found.labels.add(path)
            }
            return
        }
        for name in try Self.list(path) {
            if Labels.isLabelFile(name) {
                try found.labels.add("\(path)/\(name)")
            } else if name == "data" {
                try addLabels("\(path)/data")
            }
        }
    }

    private mutating func addSubset(
        _ subset: Subset, path: String, container: Int
    ) throws(ImagesError) {
        let names = try Self.list(path)
        let flat = names.filter { FoundImage.isImage($0) }
        if subset == .train {
            for name in names where name.hasSuffix(".tar") {
                let file = try ByteFile("\(path)/\(name)")
                if subsets.contains(.train) {
                    try addArchive(file)
                } else {
                    found.trainingClasses.insert(Labels.stem(name))
                }
            }
            guard flat.isEmpty else {
                throw .damaged(
                    path: "\(path)/\(flat[0])", what: "is a training image without a class",
                    remedy: "put it into the folder of its class, or remove it")
            }
        }
        let isWanted = subsets.contains(subset)
        for name in names where !name.hasPrefix(".") && Self.isFolder("\(path)/\(name)") {
            if subset == .train { found.trainingClasses.insert(name) }
            guard isWanted else { continue }
            for file in try Self.list("\(path)/\(name)") where FoundImage.isImage(file) {
                try addFile(
                    "\(path)/\(name)/\(file)", subset: subset, className: name,
                    container: container)
            }
            onFolder()
        }
        guard isWanted else { return }
        for file in flat {
            try addFile("\(path)/\(file)", subset: subset, className: nil, container: container)
        }
    }

    private mutating func addFile(
        _ path: String, subset: Subset, className: String?, container: Int
    ) throws(ImagesError) {
        var size = 0
        if findsSizes {
            var status = stat()
            guard stat(path, &status) == 0 else {
                throw .inputOutput(path: path, reason: String(cString: strerror(errno)))
            }
            size = Int(status.st_size)
        }
        found.images.append(
            FoundImage(
                subset: subset, className: className,
                fileName: (path as NSString).lastPathComponent, container: container, offset: 0,
                size: size, isFlat: className == nil))
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
    }

    private static func list(_ path: String) throws(ImagesError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch {
            throw .inputOutput(path: path, reason: "the folder cannot be listed")
        }
    }

    // MARK: Archives

    /// A tar of one tar for each class, a tar of validation images, of one class's images, or of a
    /// whole folder in ImageNet's layout.
    private mutating func addArchive(_ file: ByteFile) throws(ImagesError) {
        let archiveName = Labels.stem((file.path as NSString).lastPathComponent)
        let container = found.addContainer(file.path, size: file.size)
        let before = found.images.count
        var reader = TarReader(file)
        while let member = try reader.next() {
            progress(file.path, reader.progress, file.size)
            let parts = member.name.split(separator: "/").map(String.init)
            guard let name = parts.last, !name.hasPrefix(".") else { continue }
            if name.hasSuffix(".tar") {
                let className = Labels.stem(name)
                found.trainingClasses.insert(className)
                guard subsets.contains(.train) else { continue }
                var inner = TarReader(member, of: file)
                while let image = try inner.next() {
                    add(image, subset: .train, className: className, container: container)
                }
            } else if let subset = parts.dropLast(2).last.flatMap({ Subset(rawValue: $0) }) {
                let className = parts[parts.count - 2]
                if subset == .train { found.trainingClasses.insert(className) }
                add(member, subset: subset, className: className, container: container)
            } else if FoundImage.isImage(name) {
                if name.contains("_test_") {
                    throw .damaged(
                        path: file.path, what: "holds test images, which have no labels",
                        remedy: "leave it out")
                }
                let isValidation = name.contains("_val_")
                if !isValidation { found.trainingClasses.insert(archiveName) }
                add(
                    member, subset: isValidation ? .val : .train,
                    className: isValidation ? nil : archiveName, container: container)
            }
        }
        if found.images.count == before && subsets == Set(Subset.allCases) {
            throw .noImages(path: file.path)
        }
    }

    private mutating func add(
        _ member: TarMember, subset: Subset, className: String?, container: Int
    ) {
        let name = member.name.split(separator: "/").last.map(String.init) ?? ""
        guard FoundImage.isImage(name), subsets.contains(subset) else { return }
        found.images.append(
            FoundImage(
                subset: subset, className: className, fileName: name, container: container,
                offset: member.offset, size: member.size, isFlat: className == nil))
    }
}
