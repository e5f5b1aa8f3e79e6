/// Archives: the same layouts as in folders, and besides these a tar of tars, of validation images
/// alone, and of the images of the one class that it is named after.
extension SourceScan {
    /// Takes in an archive that is a file.
    mutating func addArchive(_ file: ByteFile) throws(ImagesError) {
        let container = found.addContainer(file.path, size: file.size)
        found.addStamp(file.stamp)
        let before = found.images.count
        let name = FileName.parts(of: file.path.utf8).last ?? FileName(file.path)
        let tree = try TarTree(TarReader(file)) { progress(file.path, $0, file.size) }
        let archive = Archive(file: file, container: container, stem: name.stem, path: file.path)
        try add(tree, of: archive)
        if found.images.count == before && subsets == Set(Subset.allCases) {
            throw .noImages(path: file.path)
        }
    }

    /// Where a tree's files lie.
    private struct Archive {
        let file: ByteFile
        let container: Int
        /// The archive's name without its ending.
        let stem: FileName
        /// For messages.
        let path: String

        func error(_ what: String, _ remedy: String) -> ImagesError {
            .damaged(path: path, what: what, remedy: remedy)
        }
    }

    /// What lies at one level of a tree, below a path that all that matters has in common.
    private struct Level {
        var folders: Set<FileName> = []
        var archives: [TarTree.File] = []
        var pictures: [TarTree.File] = []
        var others: [TarTree.File] = []

        var isOneFolder: Bool { folders.count == 1 && archives.isEmpty && pictures.isEmpty }
    }

    private mutating func add(_ tree: TarTree, of archive: Archive) throws(ImagesError) {
        for parts in tree.hidden {
            found.passedOver.add(.hidden, "\(archive.path): \(FileName(joining: parts).text)")
        }
        for name in tree.brokenLinks { found.passedOver.add(.link, "\(archive.path): \(name)") }
        for name in tree.specials { found.passedOver.add(.special, "\(archive.path): \(name)") }
        var prefix: [FileName] = []
        while true {
            let level = try level(of: tree, below: prefix, of: archive)
            if level.folders.contains(where: { TreeRole.subset($0) != nil }) {
                return try addSubsets(tree, below: prefix, of: archive, level)
            }
            guard level.isOneFolder, let folder = level.folders.first else {
                return try addLeaves(level, wrapper: prefix.last, of: archive)
            }
            prefix.append(folder)
        }
    }

    private func level(
        of tree: TarTree, below prefix: [FileName], of archive: Archive
    ) throws(ImagesError) -> Level {
        var level = Level()
        for parts in tree.folders where parts.count > prefix.count && parts.starts(with: prefix) {
            level.folders.insert(parts[prefix.count])
        }
        for file in tree.files where file.parts.starts(with: prefix) {
            let name = file.parts[prefix.count]
            if file.parts.count > prefix.count + 1 {
                level.folders.insert(name)
            } else if name.ending == "tar" {
                level.archives.append(file)
            } else if try isPicture(file, in: archive) {
                level.pictures.append(file)
            } else {
                level.others.append(file)
            }
        }
        return level
    }

    /// Whether a member's name or content is that of a picture.
    private func isPicture(
        _ file: TarTree.File, in archive: Archive
    ) throws(ImagesError) -> Bool {
        guard let name = file.parts.last, !FoundImage.isImage(name) else { return true }
        let head = try archive.file.bytes(
            at: file.member.offset, count: min(file.member.size, ContentKind.headSize))
        return ContentKind(head).isPicture
    }

    /// A tree with folders train, val or dev, below `prefix`.
    private mutating func addSubsets(
        _ tree: TarTree, below prefix: [FileName], of archive: Archive, _ level: Level
    ) throws(ImagesError) {
        for parts in tree.folders where parts.starts(with: prefix) {
            addClass(parts.dropFirst(prefix.count))
        }
        for file in tree.files where file.parts.starts(with: prefix) {
            let parts = Array(file.parts.dropFirst(prefix.count))
            if parts.count > 2 { addClass(parts[...]) }
            let path = "\(archive.path): \(file.member.name.text)"
            switch TreeRole(parts) {
            case .labels:
                try addLabels(file, of: archive)
            case .classArchive:
                try addInner(file, of: archive)
            case .outside(let name):
                if level.folders.contains(name) && !TreeRole.holdsLabels(name) {
                    found.passedOver.add(.outside, name.text)
                } else if name.ending == "tar" {
                    found.passedOver.add(.archive, path)
                } else if parts.count == 1, try isPicture(file, in: archive) {
                    found.passedOver.add(.outside, name.text)
                }
            case .image(let subset, let className, let name):
                guard try isPicture(file, in: archive) else {
                    found.passedOver.add(.noPicture, path)
                    continue
                }
                try add(
                    image(file, subset, className: className, name: name, of: archive),
                    path: path)
            case .hidden: break
            }
        }
    }

    private mutating func addLabels(
        _ file: TarTree.File, of archive: Archive
    ) throws(ImagesError) {
        let bytes = try archive.file.bytes(at: file.member.offset, count: file.member.size)
        try found.labels.add(bytes, path: "\(archive.path): \(file.member.name.text)")
    }

    /// Notes the class of a path `train/CLASS` or deeper.
    private mutating func addClass(_ parts: ArraySlice<FileName>) {
        if let subset = parts.first, parts.count > 1, TreeRole.subset(subset) == .train {
            found.trainingClasses.insert(parts[parts.startIndex + 1])
        }
    }

    /// A tree without subsets: archives, or pictures that lie in no folder.
    private mutating func addLeaves(
        _ level: Level, wrapper: FileName?, of archive: Archive
    ) throws(ImagesError) {
        guard level.folders.isEmpty else {
            let names = level.folders.sorted().map(\.text)
            throw archive.error(
                "holds the folders \(PassedOver.list(names)), but no train, val or dev",
                "put the images into train/CLASS/, val/CLASS/")
        }
        for file in level.others {
            if Labels.isLabelFile(file.parts.last?.text ?? "") {
                try addLabels(file, of: archive)
            } else {
                let name = "\(archive.path): \(file.member.name.text)"
                found.passedOver.add(.noPicture, name)
            }
        }
        if !level.archives.isEmpty {
            guard level.pictures.isEmpty else {
                throw archive.error(
                    "holds archives and, beside them, \(level.pictures[0].member.name.text)",
                    "leave one of both out")
            }
            for file in level.archives { try addInner(file, of: archive) }
            return
        }
        let names = level.pictures.map { $0.parts.last ?? FileName("") }
        if let test = names.first(where: { $0.text.contains("_test_") }) {
            throw archive.error(
                "holds test images, which have no labels (\(test.text))", "leave it out")
        }
        let isValidation = names.map { $0.text.contains("_val_") }
        if let first = isValidation.first, isValidation.contains(!first) {
            throw archive.error(
                "holds images named as ImageNet's validation images (…_val_…), and others",
                "make an archive of each")
        }
        let isTraining = isValidation.first == false
        if isTraining { try requireClassName(wrapper: wrapper, of: archive) }
        for (file, name) in zip(level.pictures, names) {
            try add(
                image(
                    file, isTraining ? .train : .val,
                    className: isTraining ? archive.stem : nil, name: name, of: archive),
                path: "\(archive.path): \(file.member.name.text)")
        }
        // An archive of a class inside of another may be empty: the class is there all the same.
        let isEmptyClass = names.isEmpty && archive.path != archive.file.path
        if isTraining || isEmptyClass { found.trainingClasses.insert(archive.stem) }
    }

    /// Pictures in no folder are of the class that the archive is named after: refused where
    /// another folder's name, or that of a part of a data set, says otherwise.
    private func requireClassName(wrapper: FileName?, of archive: Archive) throws(ImagesError) {
        let parts = ["train", "training", "val", "valid", "validation", "dev", "test", "testing"]
        if parts.contains(archive.stem.text.lowercased()) {
            throw archive.error(
                "holds images in no folder, whose class would be called \(archive.stem.text)",
                "put them into \(archive.stem.text)/CLASS/ and make the archive of that folder")
        }
        if let wrapper, wrapper != archive.stem {
            throw archive.error(
                "holds images in the folder \(wrapper.text) alone, but no train, val or dev",
                "put them into train/CLASS/, or name the archive \(wrapper.text).tar as its class")
        }
    }

    private mutating func addInner(
        _ file: TarTree.File, of archive: Archive
    ) throws(ImagesError) {
        let stem = (file.parts.last ?? file.member.name).stem
        let inner = Archive(
            file: archive.file, container: archive.container, stem: stem,
            path: "\(archive.path): \(file.member.name.text)")
        try add(TarTree(TarReader(file.member, of: archive.file)) { _ in }, of: inner)
    }

    private func image(
        _ file: TarTree.File, _ subset: Subset, className: FileName?, name: FileName,
        of archive: Archive
    ) -> FoundImage {
        FoundImage(
            subset: subset, className: className, name: name, container: archive.container,
            offset: file.member.offset, size: file.member.size, isFlat: className == nil)
    }
}
