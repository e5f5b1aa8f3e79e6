/// The images below the folder of a subset or a class.
extension SourceScan {
    /// What a walk knows of the images that it comes upon.
    struct Walk {
        let subset: Subset
        /// Below which the images' names begin.
        let base: [FileName]
        /// The folder of the subset; nil where the classes lie directly below `base`.
        let folder: FileName?
        /// Whether `folder` is the tree itself, in which paths begin with the classes.
        var isPathShort = false
        let container: Int
        /// Whether labels alone know the classes, whatever folders there are.
        let isLabelled: Bool
        var traits: ImageTraits = []

        var start: [FileName] { isPathShort ? base : base + [folder].compactMap { $0 } }
    }

    /// The names of training classes are needed whatever else is asked for.
    mutating func addSubset(_ walk: Walk, in tree: some SourceTree) throws(ImagesError) {
        let isWanted = subsets.contains(walk.subset)
        let outer = [try tree.identity(walk.start)]
        for entry in try tree.entries(walk.start) {
            let parts = walk.start + [entry.name]
            if entry.name.isHidden {
                found.passedOver.add(.hidden, tree.shortPlace(parts))
            } else if walk.isLabelled {
                let name = FileName(joining: [entry.name])
                try addLabelled(entry, named: name, walk, at: parts, within: outer, in: tree)
            } else if entry.isFolder {
                if walk.subset == .train { found.trainingClasses.insert(entry.name) }
                if isWanted { try addClass(entry.name, walk, in: tree, within: outer) }
            } else if walk.subset == .train && entry.name.ending == "tar" {
                if isWanted {
                    try addArchive(entry, at: parts, of: tree, container: container(of: walk, tree))
                } else {
                    found.trainingClasses.insert(entry.name.stem)
                }
            } else if isWanted || walk.subset == .train {
                try addFile(entry, named: entry.name, className: nil, walk, at: parts, in: tree)
            }
        }
    }

    private func container(of walk: Walk, _ tree: some SourceTree) -> Int? {
        tree is TarTree ? walk.container : nil
    }

    /// Everything below the folder of a class.
    mutating func addClass(
        _ name: FileName, _ walk: Walk, in tree: some SourceTree, within outer: [[UInt64]] = []
    ) throws(ImagesError) {
        try addFolder([], of: name, walk, in: tree, within: outer)
        onFolder()
    }

    /// - Parameter below: The path below the class's folder.
    private mutating func addFolder(
        _ below: [FileName], of className: FileName, _ walk: Walk, in tree: some SourceTree,
        within outer: [[UInt64]]
    ) throws(ImagesError) {
        let folder = walk.start + [className] + below
        guard let outer = try entered(folder, in: tree, within: outer) else { return }
        for entry in try tree.entries(folder) {
            let parts = folder + [entry.name]
            if entry.name.isHidden {
                found.passedOver.add(.hidden, tree.shortPlace(parts))
            } else if entry.isFolder {
                try addFolder(below + [entry.name], of: className, walk, in: tree, within: outer)
            } else {
                let name = below.isEmpty ? entry.name : FileName(joining: below + [entry.name])
                try addFile(entry, named: name, className: className, walk, at: parts, in: tree)
            }
        }
    }

    /// Images whose classes a file of labels knows, at any depth.
    private mutating func addLabelled(
        _ entry: SourceEntry, named name: FileName, _ walk: Walk, at parts: [FileName],
        within outer: [[UInt64]], in tree: some SourceTree
    ) throws(ImagesError) {
        guard entry.isFolder else {
            if !Labels.isAnnotations(entry.name) {
                try addFile(entry, named: name, className: nil, walk, at: parts, in: tree)
            }
            return
        }
        guard let outer = try entered(parts, in: tree, within: outer) else { return }
        for inside in try tree.entries(parts) where !inside.name.isHidden {
            try addLabelled(
                inside, named: name.appending(inside.name), walk, at: parts + [inside.name],
                within: outer, in: tree)
        }
    }

    /// The folders that a walk is in, with this one; nil where a link has led back into one of them,
    /// which is told.
    private mutating func entered(
        _ folder: [FileName], in tree: some SourceTree, within outer: [[UInt64]]
    ) throws(ImagesError) -> [[UInt64]]? {
        let identity = try tree.identity(folder)
        if outer.contains(identity) {
            found.passedOver.add(.link, tree.shortPlace(folder))
            return nil
        }
        return outer + [identity]
    }

    private mutating func addFile(
        _ entry: SourceEntry, named name: FileName, className: FileName?, _ walk: Walk,
        at parts: [FileName], in tree: some SourceTree
    ) throws(ImagesError) {
        guard try tree.isPicture(entry, at: parts) else {
            found.passedOver.add(.noPicture, tree.shortPlace(parts))
            return
        }
        try add(entry, named: name, className: className, walk, at: parts, in: tree)
    }

    mutating func add(
        _ entry: SourceEntry, named name: FileName, className: FileName?, _ walk: Walk,
        at parts: [FileName], in tree: some SourceTree
    ) throws(ImagesError) {
        var image = FoundImage(
            subset: walk.subset, className: className, folder: walk.folder, name: name,
            container: walk.container, offset: entry.offset,
            traits: className == nil ? walk.traits.union(.flat) : walk.traits)
        if findsSizes {
            let (size, stamp) = try tree.measure(entry, at: parts)
            image.size = size
            if stamp != 0 { found.addStamp(stamp) }
        } else {
            image.size = entry.size
        }
        try add(image, place: tree.place(parts))
    }
}
