/// What a scan found, before it is put in order.
struct FoundImages: Sendable {
    var containers: [ImageIndex.Container] = []
    var images: [FoundImage] = []
    /// Names of training classes, also of those whose images nobody asked for.
    var trainingClasses: Set<FileName> = []
    /// What else names the classes and labels the validation images.
    var labels = Labels()
    /// What was not taken.
    var passedOver = PassedOver()
    /// What the sources were taken for, a line each, where their names do not say it.
    var layouts: [String] = []
    /// Whether images of classes were found that nobody has divided into parts.
    var isUndivided = false
    /// The sources that are parts of the data set by their own names.
    var parts: [Subset: String] = [:]
    /// The subsets of which there are folders.
    var subsetFolders: Set<Subset> = []
    /// Changes with the files that were found: their inodes and times.
    private(set) var stamp: UInt64 = 0

    /// Takes in a file's own stamp.
    mutating func addStamp(_ other: UInt64) { stamp = (stamp ^ other) &* 0x100_0000_01B3 }

    mutating func addContainer(_ path: String, size: Int?) -> Int {
        containers.append(ImageIndex.Container(path: path, size: size))
        return containers.count - 1
    }

    /// Everything in its order, with labels, as an index that is not divided yet; `path` names it in
    /// messages.
    mutating func index(path: String) throws(ImagesError) -> ImageIndex {
        try resolveLabels()
        let classes = try ClassOrder(orderedClasses(path: path), path: path)
        var keyed: [(number: UInt32, image: FoundImage)] = []
        keyed.reserveCapacity(images.count)
        for image in images {
            let name = image.className ?? FileName("")
            guard let (number, isExact) = classes.number(name) else {
                let folder = image.folder.map { "/\($0.text)" } ?? ""
                let place = "\(containers[image.container].path)\(folder)"
                throw .unknownClass(path: "\(place)/\(name.text)")
            }
            if !isExact {
                passedOver.add(.spelling, "\(image.subset.rawValue)/\(name.text)")
            }
            keyed.append((number, image))
        }
        keyed.sort { first, second in
            if first.image.subset != second.image.subset {
                return first.image.subset.code < second.image.subset.code
            }
            if first.number != second.number { return first.number < second.number }
            return first.image.name < second.image.name
        }
        let (records, names) = try records(keyed)
        var header = ImageIndex.Header()
        header.files = containers
        header.classes = classes.names.map {
            ImageIndex.Class(name: $0.text, words: labels.words[$0.text])
        }
        return ImageIndex(path: path, header: header, records: records, names: names)
    }

    /// The images' records and all names' bytes.
    private func records(
        _ keyed: [(number: UInt32, image: FoundImage)]
    ) throws(ImagesError) -> (records: [ImageRecord], names: [UInt8]) {
        var (records, names) = ([ImageRecord](), [UInt8]())
        records.reserveCapacity(keyed.count)
        for (number, image) in keyed {
            let name = image.fullName
            var record = ImageRecord()
            record.offset = UInt64(image.offset)
            record.size = UInt64(image.size)
            record.nameOffset = UInt64(names.count)
            record.nameLength = UInt32(name.bytes.count)
            record.file = UInt32(image.container)
            record.classNumber = number
            record.subset = image.subset
            record.traits = image.traits
            names += name.bytes
            if let last = records.last, last.nameLength == record.nameLength,
                names[Int(last.nameOffset)..<Int(record.nameOffset)]
                    == names[Int(record.nameOffset)...]
            {
                throw .duplicate(
                    name: name.text, first: containers[Int(last.file)].path,
                    second: containers[image.container].path)
            }
            records.append(record)
        }
        return (records, names)
    }

    private mutating func resolveLabels() throws(ImagesError) {
        let unlabelled = images.indices.filter { images[$0].className == nil }
        guard !unlabelled.isEmpty else { return }
        let files = unlabelled.map {
            (FileName.parts(of: images[$0].name.bytes).last ?? images[$0].name).text
        }
        let names = try labels.validationClasses(
            of: files,
            in: containers[images[unlabelled[0]].container].path,
            classes: trainingClasses.isEmpty
                ? Set(labels.words.keys) : Set(trainingClasses.map(\.text)))
        for (place, name) in zip(unlabelled, names) { images[place].className = FileName(name) }
        let there = Set(files.map(Labels.stem))
        passedOver.add(.unfound, labels.named.keys.filter { !there.contains($0) }.sorted())
    }

    /// The training classes; without any, those that the development kit or the other subsets name.
    private func orderedClasses(path: String) throws(ImagesError) -> Set<FileName> {
        if !trainingClasses.isEmpty { return trainingClasses }
        if !labels.classes.isEmpty { return Set(labels.classes.map { FileName($0) }) }
        let names = Set(images.compactMap(\.className))
        guard !names.isEmpty else { throw .noImages(path: path) }
        return names
    }
}
