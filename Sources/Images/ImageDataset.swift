import Foundation

/// The images of a run: a folder in ImageNet's layout, or an index that `saccader-dist dataset
/// index` made of folders or of the official archives.
public struct ImageDataset: Sendable {
    /// The classes' names in byte order; a class's place is its number.
    public let classes: [String]
    /// What each class shows, where that is known; otherwise its name.
    public let words: [String]
    /// Images to train on.
    public private(set) var training: ImageSet
    /// Images to choose the best checkpoint with: never trained on.
    public private(set) var development: ImageSet
    /// Images to report on: never trained on, empty where there are none.
    public private(set) var validation: ImageSet
    /// The folder that holds the images, where one does.
    public let folder: String?
    /// What the user should know of the images: what was passed over, which classes have none. A
    /// line each.
    public let warnings: [String]

    /// Opens a folder or an index; without images to train on it is an error.
    ///
    /// In a folder without `dev`, the development images are held out by a hash of their names and
    /// the seed; an index says itself which they are.
    ///
    /// - Parameter onProgress: Called now and then while a folder is listed, which takes minutes
    ///   where a million files lie on a slow file system.
    public init(
        _ path: String, configuration: DataConfiguration, seed: UInt64,
        onProgress: @escaping () -> Void = {}
    ) throws(ImagesError) {
        try self.init(
            path, subsets: Subset.allCases, configuration: configuration, seed: seed,
            onProgress: onProgress)
        guard !training.entries.isEmpty else { throw .noImages(path: "\(path)/train") }
    }

    /// The images of one subset alone, for a tool that only evaluates.
    public static func subset(
        _ name: String, of path: String, configuration: DataConfiguration, seed: UInt64
    ) throws(ImagesError) -> (dataset: ImageDataset, images: ImageSet) {
        guard let subset = Subset(rawValue: name) else {
            throw .missingFolder(path: "\(path)/\(name)")
        }
        let dataset = try ImageDataset(
            path, subsets: [subset], configuration: configuration, seed: seed)
        let images = dataset[subset]
        if images.entries.isEmpty { throw .emptySubset(path: path, subset: subset) }
        return (dataset, images)
    }

    private init(
        _ path: String, subsets: [Subset], configuration: DataConfiguration, seed: UInt64,
        onProgress: @escaping () -> Void = {}
    ) throws(ImagesError) {
        let index: ImageIndex
        var warnings: [String] = []
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        if exists && !isFolder.boolValue {
            let file = try ByteFile(path)
            if try TarReader.isArchive(file) { throw .notIndexed(path: path) }
            index = try ImageIndex(reading: path)
            // Of the validation images nobody has held any out.
            if subsets.contains(where: { $0 != .val }) {
                warnings = [Self.division(of: index, configuration)].compactMap { $0 }
            }
        } else {
            (index, warnings) = try FolderIndex.list(
                path, subsets: subsets,
                split: Split(
                    amount: .fraction(configuration.developmentFraction), seed: seed),
                onProgress: onProgress)
        }
        let storage = ImageStorage(index)
        try storage.check()
        folder = storage.folder
        classes = index.header.classes.map(\.name)
        words = index.header.classes.map { $0.words ?? $0.name }
        var rows = Subset.allCases.map { _ in [UInt32]() }
        for row in 0..<index.count {
            let record = index[row]
            guard !record.traits.contains(.skipped) else { continue }
            rows[Int(record.subset.code)].append(UInt32(row))
        }
        let first: Int32 = configuration.backgroundClass ? 1 : 0
        let labels = classes.indices.map { Int32($0) + first }
        let sets = rows.map {
            ImageSet(index: index, storage: storage, rows: $0, labels: labels)
        }
        (training, development, validation) = (sets[0], sets[1], sets[2])
        let counts = ImageCounts(index)
        self.warnings =
            warnings + subsets.compactMap { counts.warning($0) }
            + (subsets.contains(.train)
                ? [counts.fewDevelopment(in: index.header)].compactMap { $0 } : [])
    }

    /// An index has divided its images already, whatever a run's settings say.
    private static func division(
        of index: ImageIndex, _ configuration: DataConfiguration
    ) -> String? {
        let wanted = configuration.developmentFraction
        let own: String
        if let count = index.header.developmentImagesPerClass {
            own = "\(count) images of each class"
        } else if let fraction = index.header.developmentFraction, fraction != wanted {
            own = "the fraction \(fraction) of each class"
        } else {
            return nil
        }
        return "\(index.path): holds out \(own) for development, as it was made; "
            + "data.developmentFraction (\(wanted)) is not used"
    }

    /// The same images with the labels that a model has for their classes, in the order of
    /// `classes`.
    public func labelled(_ labels: [Int32]) -> ImageDataset {
        var result = self
        result.training = training.labelled(labels)
        result.development = development.labelled(labels)
        result.validation = validation.labelled(labels)
        return result
    }

    /// The images of a subset.
    public subscript(subset: Subset) -> ImageSet {
        switch subset {
        case .train: training
        case .dev: development
        case .val: validation
        }
    }
}
