/// An image that a scan came upon.
struct FoundImage: Sendable {
    /// The part of the data set that it was found in.
    let subset: Subset
    /// The class's name; nil where only the ground truth knows it.
    var className: String?
    /// The last part of its path.
    let fileName: String
    /// Which of the scan's containers it lies in.
    let container: Int
    /// Of its first byte in an archive.
    let offset: Int
    /// In bytes; 0 in a folder where nobody has looked.
    let size: Int
    /// Whether it lies directly in its subset's folder.
    let isFlat: Bool

    /// Names that are taken for images; what they really are shows when they are read.
    static func isImage(_ name: String) -> Bool {
        guard !name.hasPrefix("."), let dot = name.lastIndex(of: ".") else { return false }
        return endings.contains(name[name.index(after: dot)...].lowercased())
    }

    private static let endings: Set<String> = [
        "jpeg", "jpg", "jpe", "jfif", "png", "gif", "bmp", "webp", "tif", "tiff", "ppm", "pgm",
    ]
}

/// What a scan found, before it is put in order.
struct FoundImages: Sendable {
    var containers: [ImageIndex.Container] = []
    var images: [FoundImage] = []
    /// Names of training classes, also of those whose images nobody asked for.
    var trainingClasses: Set<String> = []
    /// What else names the classes and labels the validation images.
    var labels = Labels()

    mutating func addContainer(_ path: String, size: Int?) -> Int {
        containers.append(ImageIndex.Container(path: path, size: size))
        return containers.count - 1
    }

    /// Everything in its order, with labels, as an index; `path` names it in messages.
    consuming func index(path: String, split: Split) throws(ImagesError) -> ImageIndex {
        try resolveLabels()
        let classes = try orderedClasses(path: path)
        let numbers = Dictionary(
            uniqueKeysWithValues: classes.enumerated().map { ($1, UInt32($0)) })
        var keyed: [(number: UInt32, image: FoundImage)] = []
        keyed.reserveCapacity(images.count)
        for image in images {
            let name = image.className ?? ""
            guard let number = numbers[name] else {
                throw .unknownClass(path: "\(path)/\(image.subset.rawValue)/\(name)")
            }
            keyed.append((number, image))
        }
        keyed.sort { first, second in
            if first.image.subset != second.image.subset {
                return first.image.subset.code < second.image.subset.code
            }
            if first.number != second.number { return first.number < second.number }
            return first.image.fileName.utf8.lexicographicallyPrecedes(second.image.fileName.utf8)
        }
        let hasDevelopment = keyed.contains { $0.image.subset == .dev }
        var (records, names) = ([ImageRecord](), [UInt8]())
        records.reserveCapacity(keyed.count)
        for (number, image) in keyed {
            let name = "\(image.subset.rawValue)/\(classes[Int(number)])/\(image.fileName)"
            var record = ImageRecord()
            record.offset = UInt64(image.offset)
            record.size = UInt64(image.size)
            record.nameOffset = UInt64(names.count)
            record.nameLength = UInt32(name.utf8.count)
            record.file = UInt32(image.container)
            record.classNumber = number
            record.subset = image.subset
            record.traits = image.isFlat ? .flat : []
            names += name.utf8
            if let last = records.last, last.nameLength == record.nameLength,
                names[Int(last.nameOffset)..<Int(record.nameOffset)]
                    == names[Int(record.nameOffset)...]
            {
                throw .duplicate(
                    name: name, first: containers[Int(last.file)].path,
                    second: containers[image.container].path)
            }
            records.append(record)
        }
        var header = ImageIndex.Header()
        header.files = containers
        header.classes = classes.map { ImageIndex.Class(name: $0, words: labels.words[$0]) }
        if !hasDevelopment {
            switch split.amount {
            case .fraction(let fraction): header.developmentFraction = fraction
            case .imagesPerClass(let count): header.developmentImagesPerClass = count
            }
            header.seed = split.seed
            let held = split.heldOut(records) { record in
                let start = Int(record.nameOffset)
                return String(
                    decoding: names[start..<(start + Int(record.nameLength))], as: UTF8.self)
            }
            for place in held { records[place].subset = .dev }
        }
        return ImageIndex(path: path, header: header, records: records, names: names)
    }

    private mutating func resolveLabels() throws(ImagesError) {
        let unlabelled = images.indices.filter { images[$0].className == nil }
        guard !unlabelled.isEmpty else { return }
        let names = try labels.validationClasses(
            of: unlabelled.map { images[$0].fileName },
            in: containers[images[unlabelled[0]].container].path,
            classes: trainingClasses.isEmpty ? Set(labels.words.keys) : trainingClasses)
        for (place, name) in zip(unlabelled, names) { images[place].className = name }
    }

    /// The training classes; without any, those that the development kit or the other subsets name.
    private func orderedClasses(path: String) throws(ImagesError) -> [String] {
        var names = trainingClasses
        if names.isEmpty { names = Set(labels.classes) }
        if names.isEmpty { names = Set(images.compactMap(\.className)) }
        guard !names.isEmpty else { throw .noImages(path: path) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
