/// What a tree is taken for: one judgement for folders and archives.
extension SourceScan {
    /// Finds the place below which the images begin, and takes them in.
    ///
    /// - Parameter container: The archive's; nil for a folder.
    mutating func add(_ tree: some SourceTree, container: Int?) throws(ImagesError) {
        var base: [FileName] = []
        while true {
            let level = SourceLevel(try tree.entries(base))
            let labelled = try addLabels(level, in: tree, base)
            let folders = level.folders.filter { !labelled.contains($0) }
            if let parts = try SubsetFolders(folders, path: tree.place(base)),
                try !isClass(parts, among: folders, in: tree, base)
            {
                return try addSubsets(parts, level, in: tree, base, container)
            }
            if folders.contains(SourceLevel.kaggle[0]), try isKaggle(tree, base) {
                base += SourceLevel.kaggle
                continue
            }
            let isWrapper = folders.count == 1 && level.archives.isEmpty
            guard isWrapper, try !hasPictures(level, in: tree, base) else {
                return try addLeaves(level, folders, in: tree, base, container)
            }
            base.append(folders[0])
        }
    }

    /// Takes in files of labels and unpacked development kits; folders that hold nothing else are
    /// returned.
    private mutating func addLabels(
        _ level: SourceLevel, in tree: some SourceTree, _ base: [FileName]
    ) throws(ImagesError) -> Set<FileName> {
        for entry in level.labels { try addLabelFile(entry, at: base + [entry.name], in: tree) }
        for entry in level.files where try isTable(entry, at: base + [entry.name], in: tree) {
            found.passedOver.add(.table, tree.shortPlace(base + [entry.name]))
        }
        for kit in level.kits {
            let inside = SourceLevel(try tree.entries(base + [kit]))
            _ = try addLabels(inside, in: tree, base + [kit])
        }
        var labelled: Set<FileName> = []
        for folder in level.folders where folder.text == "data" {
            let inside = SourceLevel(try tree.entries(base + [folder]))
            guard !inside.labels.isEmpty, inside.folders.isEmpty, inside.archives.isEmpty else {
                continue
            }
            _ = try addLabels(inside, in: tree, base + [folder])
            labelled.insert(folder)
        }
        return labelled
    }

    /// Whether a file names images and their classes, by its first lines.
    private func isTable(
        _ entry: SourceEntry, at parts: [FileName], in tree: some SourceTree
    ) throws(ImagesError) -> Bool {
        guard ImageTable.isNamed(entry.name) else { return false }
        let head = try tree.bytes(entry, at: parts, limit: ImageTable.longestHeader)
        do throws(ImagesError) {
            return try ImageTable(head, path: tree.place(parts)) != nil
        } catch {
            // Nobody has named it: what is wrong with it does not matter.
            return false
        }
    }

    private mutating func addLabelFile(
        _ entry: SourceEntry, at parts: [FileName], in tree: some SourceTree
    ) throws(ImagesError) {
        let bytes = try tree.bytes(entry, at: parts, limit: .max)
        guard try !isTable(entry, at: parts, in: tree) else {
            found.passedOver.add(.table, tree.shortPlace(parts))
            return
        }
        try found.labels.add(bytes, path: tree.place(parts))
    }

    /// Kaggle's ImageNet lies deeper, beside annotations.
    private func isKaggle(
        _ tree: some SourceTree, _ base: [FileName]
    ) throws(ImagesError) -> Bool {
        let data = try tree.entries(base + SourceLevel.kaggle.prefix(1))
        return data.contains { $0.isFolder && $0.name == SourceLevel.kaggle[1] }
    }

    /// Whether folders that are called train, dev or val are classes among others: they hold
    /// pictures alone, as do folders of other names beside them.
    private func isClass(
        _ parts: SubsetFolders, among folders: [FileName], in tree: some SourceTree,
        _ base: [FileName]
    ) throws(ImagesError) -> Bool {
        func isFlat(_ folder: FileName) throws(ImagesError) -> Bool {
            let inside = SourceLevel(try tree.entries(base + [folder]))
            return inside.folders.isEmpty && inside.archives.isEmpty
                && inside.files.contains { FoundImage.isImage($0.name) }
        }
        for folder in parts.roles.keys where try !isFlat(folder) { return false }
        for folder in folders where !SubsetFolders.isReserved(folder) {
            if try tree.holdsPictures(base + [folder]) { return true }
        }
        return false
    }

    private func hasPictures(
        _ level: SourceLevel, in tree: some SourceTree, _ base: [FileName]
    ) throws(ImagesError) -> Bool {
        for entry in level.files where try tree.isPicture(entry, at: base + [entry.name]) {
            return true
        }
        return false
    }

    /// Says what a tree is taken for, in one line.
    private mutating func remark(
        _ what: String?, _ tree: some SourceTree, _ base: [FileName]
    ) {
        var words = [what].compactMap { $0 }
        if !base.isEmpty && base != [tree.stem] {
            words.append("the images are those in \(FileName(joining: base).text)")
        }
        if !words.isEmpty { found.layouts.append("\(tree.path): \(words.joined(separator: "; "))") }
    }

    // MARK: Folders train, val, dev

    private mutating func addSubsets(
        _ parts: SubsetFolders, _ level: SourceLevel, in tree: some SourceTree,
        _ base: [FileName], _ given: Int?
    ) throws(ImagesError) {
        let container = try container(tree, base, given: given)
        remark(parts.remark, tree, base)
        // Development images are held out of the training images where there are none.
        if subsets == [.dev] && parts[.dev] == nil { subsets = [.train] }
        for folder in level.folders {
            guard let subset = parts.roles[folder] else { continue }
            found.subsetFolders.insert(subset)
            guard subset == .train || subsets.contains(subset) else { continue }
            let walk = Walk(
                subset: subset, base: base, folder: folder, container: container,
                isLabelled: try addAnnotations(of: folder, subset, level, in: tree, base))
            try addSubset(walk, in: tree)
        }
        for folder in level.hidden {
            found.passedOver.add(.hidden, tree.shortPlace(base + [folder]))
        }
        for folder in level.folders where parts.roles[folder] == nil && folder.text != "data" {
            found.passedOver.add(.outside, folder.text)
        }
        for archive in level.archives {
            found.passedOver.add(.archive, tree.shortPlace(base + [archive.name]))
        }
        for entry in level.files where FoundImage.isImage(entry.name) {
            found.passedOver.add(.outside, entry.name.text)
        }
    }

    /// tiny-imagenet's labels of the images in `val`, and the words beside it; whether there are.
    private mutating func addAnnotations(
        of folder: FileName, _ subset: Subset, _ level: SourceLevel, in tree: some SourceTree,
        _ base: [FileName]
    ) throws(ImagesError) -> Bool {
        guard subset != .train else { return false }
        let inside = try tree.entries(base + [folder])
        guard let file = inside.first(where: { Labels.isAnnotations($0.name) && !$0.isFolder })
        else { return false }
        let parts = base + [folder, file.name]
        try found.labels.addAnnotations(
            try tree.bytes(file, at: parts, limit: .max), path: tree.place(parts))
        if let words = level.files.first(where: { $0.name.text == "words.txt" }) {
            let parts = base + [words.name]
            try found.labels.addWords(
                try tree.bytes(words, at: parts, limit: .max), path: tree.place(parts))
        }
        found.layouts.append("\(tree.path): tiny-imagenet's layout; labels from \(file.name.text)")
        return true
    }

    // MARK: No such folders

    /// Archives, folders of classes, or pictures that lie in no folder.
    private mutating func addLeaves(
        _ level: SourceLevel, _ folders: [FileName], in tree: some SourceTree,
        _ base: [FileName], _ given: Int?
    ) throws(ImagesError) {
        if needsDivision {
            guard !folders.isEmpty || !level.archives.isEmpty else { return }
            throw .missing(
                path: "\(tree.path)/train",
                remedy: "class folders and archives need an index: saccader-dist dataset index "
                    + "\(tree.path) --output INDEX, then give INDEX in place of the folder")
        }
        if !level.archives.isEmpty {
            for archive in level.archives {
                try addArchive(archive, at: base + [archive.name], of: tree, container: given)
            }
            for name in folders + level.files.map(\.name).filter(FoundImage.isImage) {
                found.passedOver.add(.outside, tree.shortPlace(base + [name]))
            }
        } else if !folders.isEmpty {
            try addClasses(level, folders, in: tree, base, given)
        } else {
            try addFlat(level, in: tree, base, given)
        }
    }

    /// Each folder is a class.
    private mutating func addClasses(
        _ level: SourceLevel, _ folders: [FileName], in tree: some SourceTree,
        _ base: [FileName], _ given: Int?
    ) throws(ImagesError) {
        for entry in level.files {
            let parts = base + [entry.name]
            if try tree.isPicture(entry, at: parts) {
                throw .damaged(
                    path: tree.place(parts),
                    what: "is an image beside the folders of classes, without a class",
                    remedy: "put it into the folder of its class, or remove it")
            }
            if !ImageTable.isNamed(entry.name) {
                found.passedOver.add(.noPicture, tree.shortPlace(parts))
            }
        }
        for folder in level.hidden {
            found.passedOver.add(.hidden, tree.shortPlace(base + [folder]))
        }
        var holding: [FileName] = []
        for folder in folders where try tree.holdsPictures(base + [folder]) {
            holding.append(folder)
        }
        if holding.count == 1, folders.count > 1 {
            throw .damaged(
                path: tree.place(base),
                what: "holds images in the folder \(holding[0].text) alone, but no train, val or "
                    + "dev",
                remedy: "name \(tree.place(base + holding)) if the folders in it are the classes")
        }
        guard !holding.isEmpty else { return }
        let container = try container(tree, base, given: given)
        let part = SubsetFolders.subset(tree.stem.text, isTested: true)
        let classes = "each of \(PassedOver.list(folders.map(\.text))) is a class"
        remark(part.map { "\(classes) of \($0.rawValue)" } ?? classes, tree, base)
        if let part { try requireOnePart(part, tree) }
        let walk = Walk(
            subset: part ?? .train, base: base, folder: part == nil ? nil : tree.stem,
            isPathShort: part != nil, container: container, isLabelled: false,
            traits: part != nil && given == nil ? .bare : [])
        for folder in folders {
            if walk.subset == .train { found.trainingClasses.insert(folder) }
            try addClass(folder, walk, in: tree)
        }
        if part == nil { found.isUndivided = true }
    }

    /// A source that is named as a part of a data set is that part: of two for one, such as val and
    /// test, nobody knows which is meant.
    private mutating func requireOnePart(
        _ part: Subset, _ tree: some SourceTree
    ) throws(ImagesError) {
        if let other = found.parts.updateValue(tree.path, forKey: part),
            FileName.parts(of: other.utf8).last?.stem != tree.stem
        {
            throw .damaged(
                path: tree.path, what: "is taken for \(part.rawValue), as is \(other)",
                remedy: "name one of both")
        }
    }

    /// Pictures are validation images by their names, or of the class that the tree is named after.
    private mutating func addFlat(
        _ level: SourceLevel, in tree: some SourceTree, _ base: [FileName], _ given: Int?
    ) throws(ImagesError) {
        var pictures: [SourceEntry] = []
        for entry in level.files {
            let parts = base + [entry.name]
            if try tree.isPicture(entry, at: parts) {
                pictures.append(entry)
            } else {
                found.passedOver.add(.noPicture, tree.shortPlace(parts))
            }
        }
        if let test = pictures.first(where: { $0.name.text.contains("_test_") }) {
            throw .damaged(
                path: tree.path,
                what: "holds test images, which have no labels (\(test.name.text))",
                remedy: "leave it out")
        }
        let isValidation = pictures.map { $0.name.text.contains("_val_") }
        if let first = isValidation.first, isValidation.contains(!first) {
            throw .damaged(
                path: tree.path,
                what: "holds images named as ImageNet's validation images (…_val_…), and others",
                remedy: "put each kind into a folder or an archive of its own")
        }
        let isTraining = isValidation.first == false
        if isTraining { try requireClassName(base.last, in: tree) }
        guard !pictures.isEmpty else {
            // An archive of a class inside of another may be empty: the class is there all the same.
            if tree is TarTree, tree.path.contains(".tar: ") {
                found.trainingClasses.insert(tree.stem)
            }
            return
        }
        if isTraining { found.trainingClasses.insert(tree.stem) }
        let walk = Walk(
            subset: isTraining ? .train : .val, base: base,
            folder: FileName(isTraining ? "train" : "val"),
            container: try container(tree, base, given: given), isLabelled: !isTraining,
            traits: given == nil ? [.bare, .flat] : isTraining ? [] : .flat)
        for entry in pictures {
            try add(
                entry, named: entry.name, className: isTraining ? tree.stem : nil, walk,
                at: base + [entry.name], in: tree)
        }
    }

    /// Pictures in no folder are of the class that the tree is named after: refused where another
    /// folder's name, or that of a part of a data set, says otherwise.
    private func requireClassName(
        _ wrapper: FileName?, in tree: some SourceTree
    ) throws(ImagesError) {
        let name = tree.stem.text
        if SubsetFolders.isReserved(tree.stem) {
            throw .damaged(
                path: tree.path,
                what: "holds images in no folder, whose class would be called \(name)",
                remedy: "put them into \(name)/CLASS/, and name what holds \(name)")
        }
        if let wrapper, wrapper != tree.stem {
            let table = found.passedOver[.table].last
            throw .damaged(
                path: tree.path,
                what: "holds images in the folder \(wrapper.text) alone, but no train, val or dev",
                remedy: table.map { "name its table, \($0), instead of the folder" }
                    ?? "put them into folders of their classes")
        }
    }
}
